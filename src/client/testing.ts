/** Test help: a home of the client's own, so that tests neither read nor write that of the person who runs them. */

const HOMES = ["XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] as const;

/** Runs `work` with all state directories in a fresh one, which is removed afterwards. */
export async function inPrivateHome(work: (home: string) => void | Promise<void>): Promise<void> {
  const home = Deno.makeTempDirSync();
  const before = HOMES.map((name) => Deno.env.get(name));
  HOMES.forEach((name) => Deno.env.set(name, home));
  try {
    await work(home);
  } finally {
    HOMES.forEach((name, i) => {
      const value = before[i];
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    });
    Deno.removeSync(home, { recursive: true });
  }
}
