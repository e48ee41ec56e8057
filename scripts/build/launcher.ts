/** Makes the one executable from the `deno` executable and the bundled program, where `denort` cannot be had. */
import { embed } from "./elf/embed.ts";

/**
 * The runtime neither looks for configuration around the working directory nor writes a cache: DENO_DIR is a place that
 * cannot exist, which it takes in silence. Variables that would change how V8 or Node behave are the caller's business
 * with other programs, not with this one.
 */
const ENVIRONMENT: Readonly<Record<string, string | undefined>> = {
  DENO_DIR: "/dev/null/dozo",
  DENO_NO_UPDATE_CHECK: "1",
  DENO_NO_PROMPT: "1",
  DENO_NO_PACKAGE_JSON: "1",
  DENO_V8_FLAGS: undefined,
  DENO_CONDITIONS: undefined,
  DENO_COVERAGE_DIR: undefined,
  DENO_TRACE_PERMISSIONS: undefined,
  NODE_OPTIONS: undefined,
  NODE_V8_COVERAGE: undefined,
};
const ARGUMENTS = ["eval", "--quiet", "--ext=js", "--no-config", "--no-lock", "--no-remote", "--no-npm"];
const MAGIC = "dozo program 1\n\0";

/** The function text that `vm.Script` compiles: the bundle with what CommonJS modules expect around it. */
export function wrapProgram(bundle: string): string {
  return `(function (exports, require, module) {${bundle}\n})`;
}

/**
 * The executable: `deno` with the start-up stub, then the wrapped program, its V8 code cache (may be empty; V8 refuses one
 * that does not fit and compiles) and a footer of both lengths (u64 each) and the magic.
 */
export function makeExecutable(
  deno: Uint8Array<ArrayBuffer>,
  bootstrap: string,
  program: string,
  codeCache: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const names = JSON.stringify(Object.keys(ENVIRONMENT));
  const first = bootstrap.replace(/^const START_UP_VARIABLES = .*$/m, `const START_UP_VARIABLES = ${names};`);
  const image = embed(deno, { arguments: [...ARGUMENTS, first], environment: ENVIRONMENT });
  const source = new TextEncoder().encode(program);
  const result = new Uint8Array(image.length + source.length + codeCache.length + 32);
  result.set(image);
  result.set(source, image.length);
  result.set(codeCache, image.length + source.length);
  const footer = new DataView(result.buffer, result.length - 32);
  footer.setBigUint64(0, BigInt(source.length), true);
  footer.setBigUint64(8, BigInt(codeCache.length), true);
  result.set(new TextEncoder().encode(MAGIC), result.length - 16);
  return result;
}
