/** How this program starts another process of itself. */
import { fileURLToPath } from "node:url";

/**
 * Executable and arguments that run this program with `args`: the built executable itself, or `deno run main.ts`
 * when it runs from the sources. `DOZO_SELF` names the executable where the launcher knows better than the runtime.
 */
export function selfCommand(args: readonly string[]): { command: string; args: string[] } {
  const launcher = Deno.env.get("DOZO_SELF");
  if (launcher) return { command: launcher, args: [...args] };
  if (Deno.build.standalone) return { command: Deno.execPath(), args: [...args] };
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  return { command: Deno.execPath(), args: ["run", "-A", "--quiet", main, ...args] };
}
