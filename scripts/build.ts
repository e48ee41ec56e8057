/**
 * `deno task build [--target x86_64-unknown-linux-gnu|aarch64-unknown-linux-gnu] [--deno FILE] [--output FILE]`: writes
 * `dist/dozo`, one executable that needs neither Deno nor Node nor the sources. With DENORT_BIN in the environment it is
 * `deno compile`; otherwise the program is put into a copy of the `deno` executable (--deno, by default the running one).
 */
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { makeExecutable, wrapProgram } from "./build/launcher.ts";
import { ROOT } from "./source_files.ts";

const TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

async function deno(args: string[], quiet = false): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await command.output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (code !== 0) throw new Error(`deno ${args.join(" ")}: exit code ${code}\n${said}`);
  if (!quiet) console.log(said.trimEnd());
  return said;
}

/** Bundles main.ts into one CommonJS text, in which a module's code runs when it is first imported. */
async function bundle(folder: string): Promise<string> {
  const output = `${folder}/program.js`;
  // CommonJS, because there esbuild loads Node's modules when the module that imports them runs, not all at the start.
  const said = await deno(["bundle", "--quiet", "--format=cjs", "--output", output, "main.ts"], true);
  const warnings = said.split("\n").filter((line) => line.includes("warning") && !line.includes("import.meta"));
  if (warnings.length > 0) throw new Error(`the bundler warns:\n${said}`);
  const text = await Deno.readTextFile(output);
  // Text of one byte a character is read, kept and compiled faster.
  const ascii = text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  // import.meta has no meaning in CommonJS; code that asks for its place gets one that exists nowhere.
  return ascii.replace(/^var (import_meta\d*) = \{\};$/gm, 'var $1 = { url: "file:///dozo.js" };');
}

async function codeCache(folder: string, program: string): Promise<Uint8Array> {
  await Deno.writeTextFile(`${folder}/wrapped.js`, program);
  const script = `${ROOT}/scripts/build/make_code_cache.js`;
  await deno(["run", "-A", "--quiet", "--no-lock", script, `${folder}/wrapped.js`, `${folder}/cache`], true);
  return await Deno.readFile(`${folder}/cache`);
}

async function main(): Promise<void> {
  const native = `${Deno.build.arch}-unknown-linux-gnu`;
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      target: { type: "string", default: native },
      deno: { type: "string" },
      output: { type: "string", default: `${ROOT}/dist/dozo` },
    },
  });
  const { target, output } = values;
  if (!TARGETS.includes(target)) throw new Error(`no target '${target}', there are: ${TARGETS.join(", ")}`);
  await Deno.mkdir(dirname(output), { recursive: true });
  if (Deno.env.get("DENORT_BIN")) {
    await deno(["compile", "-A", "--no-check", "--target", target, "--output", output, "main.ts"]);
    return;
  }
  if (target !== native && !values.deno) throw new Error(`--deno must name the ${target} executable of Deno`);

  const folder = await Deno.makeTempDir({ prefix: "dozo-build-" });
  try {
    const program = wrapProgram(await bundle(folder));
    const cache = target === native ? await codeCache(folder, program) : new Uint8Array();
    const bootstrap = await Deno.readTextFile(new URL("./build/bootstrap.js", import.meta.url));
    const runtime = await Deno.readFile(values.deno ?? Deno.execPath());
    // Renamed into place, so that a process that starts meanwhile sees the old or the new file whole.
    const temporary = `${output}.${Deno.pid}.tmp`;
    await Deno.writeFile(temporary, makeExecutable(runtime, bootstrap, program, cache), { mode: 0o755 });
    await Deno.rename(temporary, output);
    const size = (await Deno.stat(output)).size;
    console.log(`${output}: ${(size / 2 ** 20).toFixed(1)} MiB, program ${(program.length / 1024).toFixed(0)} KiB`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await main();
