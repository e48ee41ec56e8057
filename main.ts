/** Where every command starts: by the name the program was called by, or by its first argument. */

/** Runs the command line and leaves with its exit code. */
async function main(): Promise<void> {
  const { run } = await import("./src/cli/main.ts");
  Deno.exit(await run(calledAs(), Deno.args));
}

/** The name by which the caller started this process, without folders; the runtime itself does not tell. */
function calledAs(): string {
  const first = Deno.readTextFileSync("/proc/self/cmdline").split("\0", 1)[0];
  return first.slice(first.lastIndexOf("/") + 1);
}

/** Runs commands that change nothing; the build calls this to have what every start needs in the code cache. */
export async function warmUp(): Promise<void> {
  const { run } = await import("./src/cli/main.ts");
  for (const words of [["version"], ["client", "help"], ["server", "help"], ["pxar", "help"]]) await run("dozo", words);
}

if (!(Symbol.for("dozo.building") in globalThis)) {
  main().catch((error: unknown) => {
    console.error(`Error: ${error instanceof Error ? error.message : error}`);
    Deno.exit(255);
  });
}
