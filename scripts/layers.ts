/**
 * Checks the rules of the house that the compiler does not know: imports point down only, no import cycle, no file over
 * 550 lines, no `any` outside src/native, no reminder comment without its issue. Prints each offence, exits 1 if there is one.
 */
import { dirname, join, normalize } from "node:path";
import { lineAt, only, ROOT, sourceFiles } from "./source_files.ts";

/** Level of each room; a file imports from its own room and from rooms of a lower level. */
export const LEVELS: Readonly<Record<string, number>> = {
  "src/base": 0,
  "src/native": 1,
  "src/formats": 2,
  "src/config": 3,
  "src/datastore": 4,
  "src/archive": 4,
  "src/protocol": 5,
  "src/access": 6,
  "src/tasks": 6,
  "src/client": 6,
  "src/jobs": 7,
  "src/api": 8,
  "ui": 9,
  "src/server": 10,
  "src/cli": 11,
  "main.ts": 12,
};
const MAX_LINES = 550;
const REMINDER = new RegExp(`\\b(?:TO${"DO"}|FIX${"ME"}|XX${"X"})\\b(?!\\(#\\d+\\))`);

/** A file's room, or undefined for scripts and tests, which may import anything. */
export function roomOf(path: string): string | undefined {
  const parts = path.split("/");
  const room = parts[0] === "src" ? parts.slice(0, 2).join("/") : parts[0];
  return room in LEVELS ? room : parts[0] === "src" ? room : undefined;
}

/** Module specifiers of all imports and re-exports in `text`, with their offsets. */
export function importsOf(text: string): { specifier: string; offset: number }[] {
  const found: { specifier: string; offset: number }[] = [];
  const source = only(text, ["code", "literal"]);
  const pattern = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+|\bnew\s+Worker\(\s*new\s+URL\(\s*)(["'])([^"'\n]+)\1/gm;
  for (const match of source.matchAll(pattern)) found.push({ specifier: match[2], offset: match.index });
  return found;
}

/** Offences against the direction of imports that `path` commits by importing `target`; undefined when allowed. */
export function layerOffence(path: string, target: string): string | undefined {
  const from = roomOf(path);
  if (from === undefined) return undefined;
  const isTest = /_test\.tsx?$/.test(path);
  const to = roomOf(target);
  if (to === undefined) {
    if (target.startsWith("assets/") || (isTest && target.startsWith("test/"))) return undefined;
    return `${from} must not import ${target}`;
  }
  if (from === to) return undefined;
  for (const room of [from, to]) {
    if (!(room in LEVELS)) return `room ${room} has no level in scripts/layers.ts`;
  }
  if (LEVELS[to] < LEVELS[from]) return undefined;
  return LEVELS[to] === LEVELS[from] ? `${from} must not import its neighbour ${to}` : `upward import of ${to}`;
}

/** The first import cycle among `graph`'s files that contains each file at most once; undefined when there is none. */
export function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (done.has(file)) return undefined;
    const at = path.indexOf(file);
    if (at >= 0) return [...path.slice(at), file];
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle) return cycle;
  }
  return undefined;
}

/** Offences inside one file, as `path:line: what` lines. */
export function fileOffences(path: string, text: string): string[] {
  const offences: string[] = [];
  const lines = text.split("\n").length - 1;
  if (lines > MAX_LINES) offences.push(`${path}: ${lines} lines, the limit is ${MAX_LINES}`);
  if (!path.startsWith("src/native/")) {
    for (
      const match of only(text, ["code"]).matchAll(
        /(?:[:<|&]|\bas|=>)\s*any\b(?!\s*[(:.])|[,(=]\s*any\b(?!\s*[(:.},])/g,
      )
    ) {
      offences.push(`${path}:${lineAt(text, match.index)}: 'any' as a type`);
    }
  }
  const comments = only(text, ["comment"]);
  comments.split("\n").forEach((line, index) => {
    if (REMINDER.test(line)) offences.push(`${path}:${index + 1}: a reminder needs its issue, as in '(#12)'`);
  });
  return offences;
}

/** All offences of the checkout. */
export function checkLayers(): string[] {
  const offences: string[] = [];
  const graph = new Map<string, string[]>();
  for (const path of sourceFiles(["src", "ui", "main.ts", "scripts", "test"])) {
    const text = Deno.readTextFileSync(join(ROOT, path));
    offences.push(...fileOffences(path, text));
    const targets: string[] = [];
    for (const { specifier, offset } of importsOf(text)) {
      if (specifier.startsWith("jsr:") || /^https?:/.test(specifier)) {
        offences.push(
          `${path}:${lineAt(text, offset)}: import of '${specifier}' needs a network place that is not always there`,
        );
      }
      if (!specifier.startsWith(".")) continue;
      const target = normalize(join(dirname(path), specifier));
      const offence = layerOffence(path, target);
      if (offence) offences.push(`${path}:${lineAt(text, offset)}: ${offence}`);
      targets.push(target);
    }
    graph.set(path, targets);
  }
  const cycle = findCycle(graph);
  if (cycle) offences.push(`import cycle: ${cycle.join(" -> ")}`);
  return offences;
}

if (import.meta.main) {
  const offences = checkLayers();
  for (const offence of offences) console.error(offence);
  if (offences.length > 0) Deno.exit(1);
}
