/** `dozo client` against a real server: what its commands do, print and refuse. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Bench, FIRST, SECOND, type SnapshotRow, TIME } from "./client.ts";
import { DOZO, execute, must } from "./harness.ts";

function sha256(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Text that compresses, different for each seed. */
function lines(seed: number, count: number): string {
  return Array.from({ length: count }, (_, i) => `line ${i} of ${seed}, ${(i * 7919 + seed) % 1000003}\n`).join("");
}

Deno.test("backups, their listing, restore and removal through the client", async (t) => {
  await using bench = await Bench.start();
  const folder = bench.scratch.path;
  const tree = await bench.scratch.folder("tree");
  await Deno.mkdir(`${tree}/sub/lost+found`, { recursive: true });
  await Deno.writeTextFile(`${tree}/a.txt`, "alpha\n");
  await Deno.writeTextFile(`${tree}/sub/b.log`, "beta\n");
  await Deno.writeTextFile(`${tree}/sub/lost+found/orphan`, "lost\n");
  await Deno.writeTextFile(`${tree}/big.txt`, lines(1, 100_000));
  await Deno.symlink("a.txt", `${tree}/link`);
  const image = `${folder}/disk.raw`;
  const disk = new Uint8Array(9 * 1024 * 1024 + 512);
  crypto.getRandomValues(disk.subarray(0, 65536));
  disk.fill(7, 8 << 20);
  await Deno.writeFile(image, disk);
  await Deno.writeTextFile(`${folder}/vm.conf`, "memory: 512\n");
  await Deno.writeTextFile(`${folder}/task.log`, "TASK OK\n");

  await t.step(
    "CL-40 CL-41 CL-45 CL-47 CL-118 one backup of a directory, an image, a config and a log file",
    async () => {
      const specs = [
        `root.pxar:${tree}`,
        `disk.img:${image}`,
        `vm.conf:${folder}/vm.conf`,
        `task.log:${folder}/task.log`,
      ];
      const { stdout, stderr } = await bench.must([
        ...["backup", ...specs, "--backup-type", "vm", "--backup-id", "100", "--backup-time", String(TIME)],
      ]);
      assert.equal(stdout, "");
      const patterns = [
        /^Starting backup: vm\/100\/2025-07-15T00:00:00Z$/,
        /^Client name: \S+$/,
        /^Starting backup protocol: \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/,
        /^No previous manifest available\.$/,
        /^Upload directory '.*tree' to 'admin@pbs@127\.0\.0\.1:\d+:store' as root\.pxar\.didx$/,
        /^root\.pxar: had to backup \S+ MiB of \S+ MiB \(compressed \S+ \S+\) in \d+\.\d\d s \(average \S+ \S+\/s\)$/,
        /^Upload image '.*disk\.raw' to '.*' as disk\.img\.fidx$/,
        /^disk\.img: had to backup \S+ MiB of 9 MiB \(compressed \S+ \S+\) in \d+\.\d\d s \(average \S+ \S+\/s\)$/,
        /^Upload config file '.*vm\.conf' to '.*' as vm\.conf\.blob$/,
        /^Upload log file '.*task\.log' to '.*' as task\.log\.blob$/,
        /^Uploaded backup catalog \(\d+ B\)$/,
        /^Duration: \d+\.\d\ds$/,
        /^End Time: \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/,
      ];
      const printed = stderr.trimEnd().split("\n");
      assert.equal(printed.length, patterns.length, stderr);
      patterns.forEach((pattern, i) => assert.match(printed[i], pattern));
    },
  );

  await t.step("CL-30 CL-31 CL-32 CL-33 CL-130 CL-138 lists in all formats", async () => {
    const rows = await bench.json<SnapshotRow[]>(["snapshot", "list"]);
    assert.deepEqual(rows.map((row) => [row["backup-type"], row["backup-id"], row["backup-time"]]), [[
      "vm",
      "100",
      TIME,
    ]]);
    assert.deepEqual(rows[0].files.map(({ filename }) => filename).sort(), [
      ...["catalog.pcat1.didx", "disk.img.fidx", "index.json.blob", "root.pxar.didx", "task.log.blob", "vm.conf.blob"],
    ]);
    assert.ok(rows[0].files.every((file) => file["crypt-mode"] === "none"));
    const env = { LC_ALL: "C" };
    const { stdout: table } = await bench.must(["snapshots"], { env });
    assert.match(table, /^\+=+\+=+\+=+\+\n\| snapshot +\| +size \| files +\|\n/);
    assert.match(
      table,
      /\| vm\/100\/2025-07-15T00:00:00Z \| +\S+ MiB \| catalog\.pcat1 disk\.img index\.json root\.pxar task\.log vm\.conf \|/,
    );
    const bare = await bench.must(["list"], { env: { PROXMOX_OUTPUT_NO_BORDER: "1" } });
    assert.match(bare.stdout, /^vm\/100 vm\/100\/2025-07-15T00:00:00Z 1 catalog/);
    const pretty = await bench.must(["list"], { env: { PROXMOX_OUTPUT_FORMAT: "json-pretty" } });
    assert.match(pretty.stdout, /^\[\n {2}\{\n {4}"backup-count": 1,\n/);
    const status = await bench.must(["status"], { env });
    assert.match(status.stdout, /^\+=+\+=+\+\n\| total \| \d+ +\(100 %\) \|\n/);
    const version = await bench.must(["version"]);
    assert.match(version.stdout, /^client version: \d+\.\d+\.\d+\nserver version: \d+\.\d+\.\d+\n$/);
    assert.deepEqual(await bench.json(["snapshot", "list", "host/none"]), []);
    assert.equal((await bench.must(["snapshot", "list", "host/none"])).stdout, "");
  });

  await t.step("CL-132 CL-134 CL-136 every archive comes back, and nothing is overwritten", async () => {
    const snapshot = `vm/100/${FIRST}`;
    await bench.must(["restore", snapshot, "root.pxar", `${folder}/out`]);
    await must("diff", ["-r", "--no-dereference", tree, `${folder}/out`]);
    await bench.must(["restore", "vm/100", "disk.img", `${folder}/out.img`]);
    assert.equal(sha256(await Deno.readFile(`${folder}/out.img`)), sha256(disk));
    assert.equal((await bench.must(["restore", snapshot, "vm.conf.blob", "-"])).stdout, "memory: 512\n");
    for (const [archive, target] of [["disk.img", "out.img"], ["vm.conf", "vm.conf"]]) {
      const before = sha256(await Deno.readFile(`${folder}/${target}`));
      await bench.refused(["restore", snapshot, archive, `${folder}/${target}`], /already exists/);
      assert.equal(sha256(await Deno.readFile(`${folder}/${target}`)), before);
    }
    await Deno.writeTextFile(`${folder}/manifest`, "old");
    await bench.must(["restore", snapshot, "index.json", `${folder}/manifest`]);
    assert.equal(JSON.parse(await Deno.readTextFile(`${folder}/manifest`))["backup-id"], "100");
    await bench.refused(["restore", snapshot, "none.img", `${folder}/none`], /no archive 'none\.img'/);
    await bench.refused(["restore", "vm/999", "disk.img", `${folder}/none`], /does not contain any snapshots/);
    await bench.refused(["restore", `vm/100/2001-01-01T00:00:00Z`, "disk.img", `${folder}/none`], /./);
  });

  await t.step("CL-135 overwriting and leaving attributes out", async () => {
    const target = `${folder}/out`;
    await Deno.writeTextFile(`${target}/a.txt`, "changed");
    await bench.refused(["restore", "vm/100", "root.pxar", target], /./);
    await bench.refused(["restore", "vm/100", "root.pxar", target, "--allow-existing-dirs", "true"], /./);
    await bench.must(["restore", "vm/100", "root.pxar", target, "--allow-existing-dirs", "--overwrite"]);
    assert.equal(await Deno.readTextFile(`${target}/a.txt`), "alpha\n");
    const some = `${folder}/some`;
    await bench.must(["restore", "vm/100", "root.pxar", some, "--pattern", "**/*.log", "--ignore-permissions"]);
    await must("test", ["-f", `${some}/sub/b.log`]);
    await must("test", ["!", "-e", `${some}/a.txt`]);
  });

  await t.step("CL-131 CL-133 the catalog, and a directory archive as a stream", async () => {
    const { stdout } = await bench.must(["catalog", "dump", `vm/100/${FIRST}`]);
    assert.match(
      stdout,
      /^d "\.\/root\.pxar\.didx"\nf "\.\/root\.pxar\.didx\/a\.txt" 6 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n/,
    );
    assert.match(stdout, /^l "\.\/root\.pxar\.didx\/link"$/m);
    const stream = `${folder}/root.pxar`;
    await must("sh", ["-c", `"$0" client restore vm/100 root.pxar - > "$1"`, DOZO, stream], { env: bench.env });
    const listed = await must(DOZO, ["pxar", "list", stream]);
    assert.deepEqual(listed.split("\n"), [
      ...[
        '"/"',
        '"/a.txt"',
        '"/big.txt"',
        '"/link"',
        '"/sub"',
        '"/sub/b.log"',
        '"/sub/lost+found"',
        '"/sub/lost+found/orphan"',
        "",
      ],
    ]);
  });

  await t.step("CL-56 IN-04 a second backup sends only what changed", async () => {
    disk.fill(9, 4 << 20, 5 << 20);
    await Deno.writeFile(image, disk);
    const { stderr } = await bench.must([
      ...[
        "backup",
        `disk.img:${image}`,
        "--backup-type",
        "vm",
        "--backup-id",
        "100",
        "--backup-time",
        String(TIME + 86400),
      ],
    ]);
    assert.match(stderr, /^Downloading previous manifest \(\w{3} Jul \d\d /m);
    assert.match(stderr, /^disk\.img: had to backup 4 MiB of 9 MiB/m);
    assert.match(stderr, /^disk\.img: backup was done incrementally, reused 5 MiB \(55\.6%\)$/m);
    await bench.must(["restore", `vm/100/${SECOND}`, "disk.img", `${folder}/second.img`]);
    assert.equal(sha256(await Deno.readFile(`${folder}/second.img`)), sha256(disk));
    await bench.must(["forget", `vm/100/${FIRST}`]);
    await bench.must(["restore", `vm/100/${SECOND}`, "disk.img", "-"], { seconds: 60 });
  });

  await t.step("CL-139 CL-175 notes, protection, log and removal", async () => {
    const snapshot = `vm/100/${SECOND}`;
    await bench.must(["snapshot", "notes", "update", snapshot, "two\nlines"]);
    assert.equal((await bench.must(["snapshot", "notes", "show", snapshot])).stdout, "two\nlines\n");
    assert.deepEqual(await bench.json(["snapshot", "notes", "show", snapshot]), { notes: "two\nlines" });
    await bench.must(["snapshot", "protected", "update", snapshot, "true"]);
    assert.equal((await bench.must(["snapshot", "protected", "show", snapshot])).stdout, "true\n");
    await bench.refused(["snapshot", "forget", snapshot], /protected/);
    await bench.must(["snapshot", "protected", "update", snapshot, "false"]);
    await bench.must(["upload-log", snapshot, `${folder}/task.log`]);
    await bench.refused(["upload-log", snapshot, `${folder}/task.log`], /./);
    assert.equal((await bench.must(["restore", snapshot, "client.log", "-"])).stdout, "TASK OK\n");
    await bench.must(["snapshot", "forget", snapshot]);
    assert.deepEqual(await bench.json(["snapshot", "list"]), []);
    await bench.refused(["snapshot", "forget", snapshot], /./);
  });

  await t.step("CL-46 CL-187 namespaces", async () => {
    await bench.refused(["backup", `root.pxar:${tree}`, "--ns", "a/b"], /namespace|not/i);
    await bench.must(["namespace", "create", "a"]);
    await bench.must(["namespace", "create", "a/b"]);
    assert.equal((await bench.must(["namespace", "list"])).stdout, "a\na/b\n");
    assert.deepEqual(await bench.json(["namespace", "list"]), { data: [{ ns: "" }, { ns: "a" }, { ns: "a/b" }] });
    const { stderr } = await bench.must([
      "backup",
      `root.pxar:${tree}`,
      "--ns",
      "a/b",
      "--backup-id",
      "x",
      "--backup-time",
      String(TIME),
    ]);
    assert.match(stderr, /^Starting backup: \[a\/b\]:host\/x\/2025-07-15T00:00:00Z$/m);
    assert.equal((await bench.json<unknown[]>(["list", "--ns", "a/b"])).length, 1);
    assert.equal(
      (await bench.must(["list"], { env: { PBS_NAMESPACE: "a/b", PROXMOX_OUTPUT_FORMAT: "json" } })).stdout.length > 3,
      true,
    );
    assert.equal((await bench.json<unknown[]>(["list"])).length, 0);
    await bench.must(["group", "forget", "host/x", "--ns", "a/b"]);
    await bench.must(["namespace", "delete", "a/b"]);
    await bench.must(["namespace", "delete", "a"]);
    assert.equal((await bench.must(["namespace", "list"])).stdout, "");
  });

  await t.step("CL-50 CL-51 CL-60 excludes, lost+found and the limit of entries", async () => {
    await bench.must([
      "backup",
      `root.pxar:${tree}`,
      "--backup-id",
      "ex",
      "--exclude",
      "*.log",
      "--skip-lost-and-found",
    ]);
    const { stdout } = await bench.must(["restore", "host/ex", "root.pxar", `${folder}/ex`]);
    assert.equal(stdout, "");
    await must("test", ["!", "-e", `${folder}/ex/sub/b.log`]);
    await must("test", ["!", "-e", `${folder}/ex/sub/lost+found`]);
    await must("test", ["-e", `${folder}/ex/a.txt`]);
    await bench.refused(["backup", `root.pxar:${tree}`, "--backup-id", "many", "--entries-max", "3"], /entries|limit/i);
    assert.deepEqual(await bench.json(["snapshot", "list", "host/many"]), []);
  });

  await t.step("CL-53 a dry run leaves nothing behind", async () => {
    const { stderr } = await bench.must([
      "backup",
      `root.pxar:${tree}`,
      `disk.img:${image}`,
      "--backup-id",
      "dry",
      "--dry-run",
    ]);
    assert.match(stderr, /^Would upload directory '.*' to '.*' as root\.pxar\.didx$/m);
    assert.match(stderr, /^Would upload image '.*' to '.*' as disk\.img\.fidx$/m);
    assert.deepEqual(await bench.json(["snapshot", "list", "host/dry"]), []);
  });

  await t.step("CL-80 CL-81 CL-82 CL-83 CL-85 CL-86 detection modes after each other restore the same", async () => {
    const base = ["backup", `root.pxar:${tree}`, "--backup-id", "modes"];
    const modes = ["legacy", "metadata", "metadata", "data", "legacy", "metadata"];
    let last = "";
    for (const [i, mode] of modes.entries()) {
      if (i === 2) await Deno.writeTextFile(`${tree}/a.txt`, "alpha 2\n");
      const time = String(TIME + i * 86400);
      ({ stderr: last } = await bench.must([...base, "--backup-time", time, "--change-detection-mode", mode]));
      if (i === 2) {
        assert.match(last, /^Using previous index as metadata reference for 'root\.mpxar\.didx'$/m);
        assert.match(last, /^Change detection summary:$/m);
        assert.match(last, /unchanged, reusable files with /);
        assert.match(last, /^root\.ppxar: reused \S+ \S+ from previous snapshot for unchanged files \(\d+ chunks\)$/m);
      }
      const target = `${folder}/mode-${i}`;
      await bench.must(["restore", "host/modes", "root.pxar", target]);
      await must("diff", ["-r", "--no-dereference", tree, target]);
    }
    const files = await bench.json<{ filename: string }[]>(["snapshot", "files", "host/modes/2025-07-16T00:00:00Z"]);
    assert.deepEqual(files.map(({ filename }) => filename).sort(), [
      "index.json.blob",
      "root.mpxar.didx",
      "root.ppxar.didx",
    ]);
    assert.match(
      last,
      /Previous manifest does not contain an archive called 'root\.mpxar\.didx', skipping download\.\./,
    );
  });

  await t.step("CL-48 chunk sizes", async () => {
    await bench.refused(["backup", `root.pxar:${tree}`, "--chunk-size", "100"], /'chunk-size'/);
    await bench.must(["backup", `root.pxar:${tree}`, "--chunk-size", "64", "--backup-id", "small"]);
    await bench.must(["restore", "host/small", "root.pxar", `${folder}/small`]);
    await must("diff", ["-r", "--no-dereference", tree, `${folder}/small`]);
  });

  await t.step(
    "CL-44 CL-45 CL-49 CL-54 CL-55 what makes no sense is refused before anything is connected",
    async () => {
      const nowhere = { env: { PBS_REPOSITORY: "root@pam@127.0.0.1:1:store" } };
      const empty = `${folder}/empty.raw`;
      await Deno.writeTextFile(empty, "");
      const cases: [string[], RegExp][] = [
        [["a.pxar:/etc", "a.pxar:/etc"], /got target twice: 'a\.pxar'/],
        [["a.txt:/etc"], /'backupspec': value does not match the regex pattern/],
        [["a.pxar:/no/such/folder"], /unable to access '\/no\/such\/folder'/],
        [[`a.pxar:${image}`], /got unexpected file type .*expected directory/],
        [[`a.img:${tree}`], /got unexpected file type .*expected file or block device/],
        [[`a.conf:${tree}`], /got unexpected file type .*expected regular file/],
        [["a.pxar:/etc", "--all-file-systems", "--include-dev", "/"], /conflicts/],
        [["a.pxar:/etc", "--rate", "1000"], /too low/],
        [["a.pxar:/etc", "--rate", "fast"], /'rate'/],
        [["a.pxar:/etc", "--crypt-mode", "encrypt"], /--crypt-mode without --keyfile/],
      ];
      for (const [args, text] of cases) await bench.refused(["backup", ...args], text, nowhere);
      await bench.refused(["backup", `a.img:${empty}`], /empty/);
      const big = `${folder}/big.conf`;
      await Deno.writeFile(big, new Uint8Array(16 * 1024 * 1024 + 1));
      await bench.refused(["backup", `a.conf:${big}`, "--backup-id", "bigconf"], /at most 16777216/);
      assert.deepEqual(await bench.json(["snapshot", "list", "host/bigconf"]), []);
    },
  );

  await t.step("CL-57 a file that cannot be read is left out with a warning", async () => {
    const odd = await bench.scratch.folder("unreadable");
    await Deno.writeTextFile(`${odd}/ok`, "ok");
    await Deno.writeTextFile(`${odd}/secret`, "no", { mode: 0o000 });
    const home = await bench.scratch.folder("home-of-nobody");
    const args = ["client", "backup", `a.pxar:${odd}`, "--backup-id", "unreadable"];
    const env = { ...bench.env, HOME: home, XDG_RUNTIME_DIR: home };
    // Nothing is unreadable for root.
    await Deno.chmod(folder, 0o755);
    const outcome = Deno.uid() === 0
      ? await execute("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", DOZO, ...args], {
        env,
        cwd: (await Deno.chown(home, 65534, 65534), home),
      })
      : await execute(DOZO, args, { env });
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stderr, /^skipped "\/secret": access denied$/m);
    const { stdout } = await bench.must(["catalog", "dump", await newest(bench, "unreadable")]);
    assert.match(stdout, /\/ok"/);
    assert.doesNotMatch(stdout, /secret/);
  });

  await t.step("CL-58 an interrupted client leaves no snapshot", async () => {
    const slow = `${folder}/slow.raw`;
    const data = new Uint8Array(32 << 20);
    for (let at = 0; at < data.length; at += 65536) crypto.getRandomValues(data.subarray(at, at + 65536));
    await Deno.writeFile(slow, data);
    for (const signal of ["SIGINT", "SIGKILL"] as const) {
      const child = new Deno.Command(DOZO, {
        args: ["client", "backup", `slow.img:${slow}`, "--backup-id", "slow", "--rate", "2 MiB"],
        env: bench.env,
        clearEnv: true,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      await until(async () => (await readSnapshots(bench, "slow")) > 0);
      child.kill(signal);
      const { code, stderr } = await child.output();
      if (signal === "SIGINT") {
        assert.equal(code, 255);
        assert.match(new TextDecoder().decode(stderr), /^Error: interrupted\n$/m);
      }
      await until(async () => (await readSnapshots(bench, "slow")) === 0);
      assert.deepEqual(await bench.json(["snapshot", "list", "host/slow"]), []);
    }
  });

  await t.step("CL-12 CL-20 CL-21 CL-22 CL-24 CL-27 CL-42 CL-170 CL-171 CL-172 login", async () => {
    const noPassword = { PBS_PASSWORD: "" };
    await bench.must(["logout"]);
    await bench.refused(["list"], /password/, { env: noPassword });
    await Deno.writeTextFile(`${folder}/pw`, `${bench.env.PBS_PASSWORD}\na comment\n`);
    await bench.must(["list"], {
      env: { ...noPassword, PBS_PASSWORD_FILE: `${folder}/pw`, PBS_PASSWORD_CMD: "echo wrong" },
    });
    assert.equal(((await Deno.stat(`${bench.env.XDG_RUNTIME_DIR}/proxmox-backup/tickets`)).mode ?? 0) & 0o777, 0o600);
    await bench.must(["list"], { env: noPassword });
    await bench.must(["logout"]);
    await bench.refused(["list"], /password/, { env: noPassword });
    await bench.must(["login"], { env: { ...noPassword, PBS_PASSWORD_CMD: `head -n1 '${folder}/pw'` } });
    await bench.must(["list"], { env: noPassword });
    await bench.refused(["login"], /permission check failed|authentication failed/, { env: { PBS_PASSWORD: "wrong" } });
    await bench.refused(["login"], /certificate/, { env: { PBS_FINGERPRINT: "00:".repeat(31) + "00" } });
    await bench.refused(["login"], /certificate/, { env: { PBS_FINGERPRINT: "" } });
    await bench.refused(["list"], /no such datastore 'other'/, {
      env: { PBS_REPOSITORY: `admin@pbs@127.0.0.1:${bench.server.port}:other` },
    });
    await bench.refused(["login"], /cannot connect/, { env: { PBS_REPOSITORY: "admin@pbs@127.0.0.1:1:store" } });
    await bench.refused(["login"], /cannot connect/, {
      env: { PBS_REPOSITORY: "admin@pbs@no-such-host.invalid:store" },
    });
    await bench.refused(["list"], /unable to get \(default\) repository/, { env: { PBS_REPOSITORY: "" } });
    const parts = [
      "--server",
      "127.0.0.1",
      "--port",
      String(bench.server.port),
      "--datastore",
      "store",
      "--auth-id",
      "admin@pbs",
    ];
    await bench.must(["list", ...parts], { env: { PBS_REPOSITORY: "" } });
    const counted = JSON.parse(await Deno.readTextFile(`${bench.env.HOME}/.cache/proxmox-backup/repo-list`));
    assert.ok(Object.keys(counted).includes(bench.env.PBS_REPOSITORY));
  });
});

/** Snapshot directories of a group on disk, unfinished ones included. */
async function readSnapshots(bench: Bench, id: string): Promise<number> {
  try {
    const names = await Array.fromAsync(Deno.readDir(`${bench.scratch.path}/store/host/${id}`));
    return names.filter(({ isDirectory }) => isDirectory).length;
  } catch {
    return 0;
  }
}

/** The latest snapshot of a group of type host. */
async function newest(bench: Bench, id: string): Promise<string> {
  const rows = await bench.json<SnapshotRow[]>(["snapshot", "list", `host/${id}`]);
  const time = Math.max(...rows.map((row) => row["backup-time"]));
  return `host/${id}/${new Date(time * 1000).toISOString().slice(0, 19)}Z`;
}

async function until(met: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await met()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail("waited for 30 seconds in vain");
}
