/**
 * Which required behaviours have a test: `deno task rows [FOLDER] [--missing | --summary]`. FOLDER (default `../shared/requirements`)
 * holds Markdown tables whose first column is an ID such as `FF-07`; a test proves a row by carrying its ID in its name.
 */
import { basename, join } from "node:path";
import { only, ROOT, sourceFiles } from "./source_files.ts";

const ID = /\b[A-Z]{2,3}-\d+[a-z]?\b/g;

/** IDs in the first column of the tables in `markdown`, in order. */
export function rowIds(markdown: string): string[] {
  return [...markdown.matchAll(/^\|\s*([A-Z]{2,3}-\d+[a-z]?)\s*\|/gm)].map((match) => match[1]);
}

/** IDs in the names of the tests and test steps of a source text; `CL-01…03` and `CL-01..03` stand for all three. */
export function testedIds(source: string): string[] {
  const text = only(source, ["code", "literal"]);
  const names = text.matchAll(/(?:\btest|\.step|Deno\.test)\(\s*(?:\{\s*(?:[^}"'`]*,)?\s*name:\s*)?(["'`])(.*?)\1/gs);
  return [...names].flatMap((match) => expandRanges(match[2]).match(ID) ?? []);
}

function expandRanges(name: string): string {
  return name.replace(/\b([A-Z]{2,3}-)(\d+)(?:…|\.\.\.?)(?:\1)?(\d+)/g, (whole, prefix, first, last) => {
    const count = Number(last) - Number(first) + 1;
    if (count < 1 || count > 100) return whole;
    return Array.from({ length: count }, (_, i) => prefix + String(Number(first) + i).padStart(first.length, "0")).join(
      " ",
    );
  });
}

function prefixOf(id: string): string {
  return id.slice(0, id.indexOf("-"));
}

function main(args: string[]): number {
  const folder = args.find((arg) => !arg.startsWith("-")) ?? join(ROOT, "..", "shared", "requirements");
  let files: string[];
  try {
    files = [...Deno.readDirSync(folder)].map((entry) => entry.name).filter((name) => name.endsWith(".md")).sort();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log(`rows: there is no folder ${folder}, nothing to compare with`);
    return 0;
  }
  const tested = new Map<string, string>();
  for (const path of sourceFiles(["src", "ui", "test", "installer"]).filter((path) => /_test\.tsx?$/.test(path))) {
    for (const id of testedIds(Deno.readTextFileSync(join(ROOT, path)))) tested.set(id, path);
  }
  const known = new Set<string>();
  let proven = 0;
  for (const file of files) {
    const ids = rowIds(Deno.readTextFileSync(join(folder, file)));
    if (ids.length === 0) continue;
    for (const id of ids) known.add(id);
    const done = ids.filter((id) => tested.has(id));
    const missing = ids.filter((id) => !tested.has(id));
    proven += done.length;
    console.log(`${basename(file, ".md")}: ${done.length} of ${ids.length} rows have a test`);
    if (args.includes("--summary")) continue;
    if (!args.includes("--missing")) {
      for (const id of done) console.log(`  ${id}  ${tested.get(id)}`);
    }
    if (missing.length > 0) console.log(`  without a test: ${missing.join(" ")}`);
  }
  // Names speak of UTF-8 and SHA-256 too: only a prefix that the lists use makes a row.
  const prefixes = new Set([...known].map(prefixOf));
  const unknown = [...tested].filter(([id]) => !known.has(id) && prefixes.has(prefixOf(id)));
  for (const [id, path] of unknown) console.log(`unknown row ${id} in ${path}`);
  console.log(`${proven} of ${known.size} rows have a test`);
  return unknown.length > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(main(Deno.args));
