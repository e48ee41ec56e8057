/** The datastore that a real PBS wrote: attributes of extracted trees, refusals in PBS's words, nothing changed by reading. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { listTree as listEntries } from "../../src/archive/testing_listing.ts";
import { vectorJson } from "../vectors.ts";
import { Api } from "./api.ts";
import { DOZO, execute, must, type Outcome, Scratch, Server } from "./harness.ts";
import { assertRefused, IS_ROOT } from "./testbed.ts";

interface Snapshot {
  readonly ns: string;
  readonly snapshot: string;
  readonly key: string | null;
  readonly archives: Record<string, { readonly extracted_listing?: string }>;
}

interface Refusal {
  readonly case: string;
  readonly exit: number;
  readonly message: string;
}

const vectors = (name: string): string => fileURLToPath(new URL(`../vectors/${name}`, import.meta.url));
const expected = vectorJson<{ snapshots: Snapshot[]; listings: Record<string, Record<string, unknown>[]> }>(
  "datastore/expected.json",
);
const refusals = vectorJson<Refusal[]>("keys/refusals.json");
const KEY_PASSWORD = "golden pass";

/** Unpacks the store below `folder` and adds the chunk directories that the archive leaves out. */
async function unpack(folder: string): Promise<string> {
  await must("tar", ["--zstd", "--no-same-owner", "-xpf", vectors("datastore/golden.tar.zst"), "-C", folder]);
  for (let i = 0; i < 0x10000; i++) {
    const path = `${folder}/golden/.chunks/${i.toString(16).padStart(4, "0")}`;
    Deno.mkdirSync(path, { mode: 0o750, recursive: true });
  }
  return `${folder}/golden`;
}

/** Runs `work` for all items, two at a time. */
async function inPairs<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  const lane = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all([lane(), lane()]);
}

/** Inode flags depend on the file system of the target. */
function withoutFlags(entries: readonly object[]): object[] {
  return entries.map((entry) => ({ ...entry, chattr: undefined }));
}

/** Every file of the store but its locks: mode, owner, size, time and checksum. */
async function storeContent(store: string): Promise<string> {
  const listing = "find . -type f ! -name '*.lck' ! -name .lock -printf '%p %m %U:%G %s %T@\\n' | sort";
  const sums = "find . -type f ! -name .lock ! -name '*.lck' -print0 | sort -z | xargs -0 sha256sum";
  return await must("bash", ["-c", `${listing}; ${sums}`], { cwd: store });
}

Deno.test("a store of a real PBS restores with every attribute, and reading changes nothing in it", async (t) => {
  await using scratch = await Scratch.make();
  const store = await unpack(scratch.memory);
  const before = await storeContent(store);
  await using server = await Server.start(`${scratch.path}/server`);
  const api = await Api.login(server);
  const upid = await api.call("POST", "/config/datastore", { name: "golden", path: store, "reuse-datastore": true });
  if (typeof upid === "string") await api.finished(upid);
  const client = (args: readonly string[], more: Record<string, string> = {}): Promise<Outcome> =>
    execute(DOZO, ["client", ...args], {
      env: { ...server.clientEnv("golden"), PBS_ENCRYPTION_PASSWORD: KEY_PASSWORD, ...more },
    });

  await t.step({
    name: "TM-02 CL-132 every archive extracts to the expected listing: types, owners, times, xattrs, ACLs, contents",
    ignore: !IS_ROOT, // owners, devices and capabilities cannot be restored by another user
    fn: async () => {
      const archives = expected.snapshots.flatMap((snapshot) =>
        Object.entries(snapshot.archives).flatMap(([name, { extracted_listing: listing }]) =>
          listing === undefined ? [] : [{ ...snapshot, name, listing }]
        )
      );
      assert.equal(archives.length, 21);
      let count = 0;
      await inPairs(archives, async ({ ns, key, snapshot, name, listing }) => {
        const target = `${scratch.path}/tree-${count++}`;
        const where = [...(ns ? ["--ns", ns] : []), ...(key ? ["--keyfile", vectors(`keys/${key}`)] : [])];
        const outcome = await client(["restore", snapshot, name, target, ...where]);
        assert.equal(outcome.code, 0, `${snapshot} ${name}: ${outcome.stderr}`);
        assert.deepEqual(withoutFlags(listEntries(target)), withoutFlags(expected.listings[listing]), name);
        await Deno.remove(target, { recursive: true });
      });
    },
  });

  const key = (name: string) => ["--keyfile", vectors(`keys/${name}`)];
  const cases: Record<string, { args: string[]; env?: Record<string, string> }> = {
    "wrong password": {
      args: ["restore", "host/encpw", "tree.pxar", "-", ...key("key-scrypt.json")],
      env: { PBS_ENCRYPTION_PASSWORD: "not the one" },
    },
    "4 byte password": {
      args: ["restore", "host/encpw", "tree.pxar", "-", ...key("key-scrypt.json")],
      env: { PBS_ENCRYPTION_PASSWORD: "four" },
    },
    "encrypted archive without key": { args: ["restore", "host/encpw", "tree.pxar", "-"] },
    "wrong key": { args: ["restore", "host/encpw", "tree.pxar", "-", ...key("key-none.json")] },
  };
  for (const [name, { args, env }] of Object.entries(cases)) {
    await t.step(`CL-116 IN-08 refused: ${name}`, async () => {
      const outcome = await client(args, env);
      const wanted = refusals.find((refusal) => refusal.case === name);
      assert.ok(wanted);
      const last = wanted.message.trimEnd().split("\n").at(-1) ?? "";
      assertRefused(outcome, /./);
      assert.equal(outcome.stderr.trimEnd().split("\n").at(-1), last);
      assert.equal(outcome.stdout, "");
    });
  }

  await t.step("CL-137 ST-74 a damaged chunk: the archive is refused, the manifest is still readable", async () => {
    const target = `${scratch.path}/broken`;
    const outcome = await client(["restore", "host/broken", "tree.pxar", target]);
    assertRefused(outcome, /c9a4778008c9|chunk/);
    assert.equal((await client(["restore", "host/broken", "index.json", "-"])).code, 0);
  });

  await t.step("a catalog of a snapshot without archives of files is refused", async () => {
    assertRefused(await client(["catalog", "dump", "vm/100"]), /catalog/);
  });

  await t.step("nothing in the store has changed", async () => {
    assert.equal(await storeContent(store), before);
  });
});
