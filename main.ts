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

/** Loads what every command needs; the build runs this to have it compiled in the code cache. */
export async function warmUp(): Promise<void> {
  await import("./src/cli/main.ts");
}

if (!(Symbol.for("dozo.building") in globalThis)) {
  main().catch((error: unknown) => {
    console.error(`Error: ${error instanceof Error ? error.message : error}`);
    Deno.exit(255);
  });
}
