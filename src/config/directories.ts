/** Where a server keeps its state: below one private root, or in the usual system places. */
import { join, resolve } from "node:path";

/** The four trees of state, absolute paths. */
export interface Directories {
  /** Configuration and keys. */
  readonly etc: string;
  /** State that outlives a reboot. */
  readonly lib: string;
  /** Logs: `tasks/` and `api/`. */
  readonly log: string;
  /** Locks and sockets of the running system. */
  readonly run: string;
}

/** The directories below `root`, or the system ones named dozo without it. */
export function stateDirectories(root?: string): Directories {
  if (root === undefined) return { etc: "/etc/dozo", lib: "/var/lib/dozo", log: "/var/log/dozo", run: "/run/dozo" };
  const base = resolve(root);
  return {
    etc: join(base, "etc"),
    lib: join(base, "var", "lib"),
    log: join(base, "var", "log"),
    run: join(base, "run"),
  };
}

/** Creates what is missing; secrets lie in `etc`, which only its owner and group may enter. */
export async function createDirectories(directories: Directories): Promise<void> {
  await Deno.mkdir(directories.etc, { recursive: true, mode: 0o750 });
  await Deno.mkdir(directories.lib, { recursive: true, mode: 0o750 });
  await Deno.mkdir(join(directories.log, "tasks"), { recursive: true, mode: 0o750 });
  await Deno.mkdir(join(directories.log, "api"), { recursive: true, mode: 0o750 });
  await Deno.mkdir(join(directories.run, "locks"), { recursive: true, mode: 0o750 });
}
