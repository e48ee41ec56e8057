/** The project's TypeScript files, and their text with comments and literals blanked out. */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of the checkout, without a slash at the end. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

const SKIPPED = new Set(["vectors", "node_modules", "dist", ".git", ".dev", ".cache"]);

/** Paths of all `.ts` and `.tsx` files below `folders` and of the files among them, relative to the checkout, sorted. */
export function sourceFiles(folders: readonly string[]): string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    let info: Deno.FileInfo;
    try {
      info = Deno.statSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    if (!info.isDirectory) {
      if (/\.tsx?$/.test(path)) found.push(relative(ROOT, path));
      return;
    }
    for (const entry of Deno.readDirSync(path)) {
      if (!SKIPPED.has(entry.name)) visit(`${path}/${entry.name}`);
    }
  };
  for (const folder of folders) visit(`${ROOT}/${folder}`);
  return found.sort();
}

/** A piece of source text: code, a comment, or a literal (string, template text or regular expression). */
export interface Token {
  readonly kind: "code" | "comment" | "literal";
  readonly start: number;
  readonly end: number;
}

const REGEXP_MAY_FOLLOW = /(?:^|[-+*/%=<>!&|^~?:,;([{}\n]|\b(?:return|typeof|case|in|of|void|do|else))\s*$/;

/** Splits TypeScript text into code, comments and literals; template expressions count as code. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const braces: number[] = [];
  let depth = 0;
  let at = 0;
  let codeStart = 0;
  const emit = (kind: Token["kind"], start: number, end: number): void => {
    if (start > codeStart) tokens.push({ kind: "code", start: codeStart, end: start });
    tokens.push({ kind, start, end });
    at = codeStart = end;
  };
  const templateEnd = (from: number): number => {
    let i = from;
    while (i < text.length) {
      if (text[i] === "\\") i += 2;
      else if (text[i] === "`") return i + 1;
      else if (text.startsWith("${", i)) {
        braces.push(depth);
        return i + 2;
      } else i++;
    }
    return i;
  };
  while (at < text.length) {
    const char = text[at];
    if (text.startsWith("//", at)) {
      const end = text.indexOf("\n", at);
      emit("comment", at, end < 0 ? text.length : end);
    } else if (text.startsWith("/*", at)) {
      const end = text.indexOf("*/", at + 2);
      emit("comment", at, end < 0 ? text.length : end + 2);
    } else if (char === '"' || char === "'") {
      let end = at + 1;
      while (end < text.length && text[end] !== char && text[end] !== "\n") end += text[end] === "\\" ? 2 : 1;
      emit("literal", at, end + 1);
    } else if (char === "`") {
      emit("literal", at, templateEnd(at + 1));
    } else if (char === "}" && braces.length > 0 && braces[braces.length - 1] === depth) {
      braces.pop();
      emit("literal", at, templateEnd(at + 1));
    } else if (char === "/" && REGEXP_MAY_FOLLOW.test(text.slice(Math.max(0, at - 40), at))) {
      let end = at + 1;
      let inClass = false;
      while (end < text.length && text[end] !== "\n" && (inClass || text[end] !== "/")) {
        if (text[end] === "[") inClass = true;
        if (text[end] === "]") inClass = false;
        end += text[end] === "\\" ? 2 : 1;
      }
      emit("literal", at, end + 1);
    } else {
      if (char === "{") depth++;
      if (char === "}") depth--;
      at++;
    }
  }
  if (at > codeStart) tokens.push({ kind: "code", start: codeStart, end: at });
  return tokens;
}

/** `text` with everything but tokens of `kinds` replaced by blanks (line breaks stay), so that offsets keep their meaning. */
export function only(text: string, kinds: readonly Token["kind"][]): string {
  return tokenize(text).map(({ kind, start, end }) => {
    const part = text.slice(start, end);
    return kinds.includes(kind) ? part : part.replace(/[^\n]/g, " ");
  }).join("");
}

/** One-based line number of `offset` in `text`. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
