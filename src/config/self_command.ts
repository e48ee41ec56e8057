/** How this program starts another process of itself. */
import { fileURLToPath } from "node:url";

/**
 * Executable and arguments that run this program with `args`: the built executable itself, or `deno run main.ts`
 * when it runs from the sources. The built one is named by its inode, so that a process that was started before an
 * upgrade starts others of its own version.
 */
export function selfCommand(args: readonly string[]): { command: string; args: string[] } {
  const embedded = Deno.build.standalone || Deno.mainModule.endsWith("/$deno$eval.js");
  if (embedded) return { command: "/proc/self/exe", args: [...args] };
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  return { command: Deno.execPath(), args: ["run", "-A", "--quiet", main, ...args] };
}
