/**
 * `deno task bench [tree|image|steps …] [--scale 1] [--rounds 3] [--folder DIR] [--json FILE]`: speed and memory of
 * `dist/dozo` beside restic on the same data, both on the local disk, in alternating runs, and beside the steps that no
 * program can leave out. Needs about ten times the data's size in DIR (default: a folder in /var/tmp, removed at the end).
 */
import { parseArgs } from "node:util";
import { type Contestant, Dozo, Restic } from "./bench/contestants.ts";
import { changedFiles, changeTree, makeImage, makeTree } from "./bench/data.ts";
import { type Cost, settle } from "./bench/process.ts";
import { measureSteps, type Steps } from "./bench/steps.ts";
import { ROOT } from "./source_files.ts";

/** What the project wants to reach, as a multiple of restic's speed. */
const GOALS: Readonly<Record<string, number>> = {
  "tree: first backup": 1.4,
  "tree: again, read in full": 1.4,
  "tree: again, metadata": 3.8,
  "tree: 1 % changed, metadata": 1.3,
  "tree: restore": 2.0,
  "tree: restore of one file": 4,
  "image: first backup": 1.4,
  "image: again": 2.5,
  "image: restore": 1.0,
};
const MEMORY_GOAL_MIB = 300;

interface Sample extends Cost {
  readonly serverCpu: number;
}

const samples = new Map<string, Map<string, Sample[]>>();

/** Lets each contestant do `work`, in turns that begin with another one each round. */
async function compare(
  what: string,
  contestants: readonly Contestant[],
  round: number,
  work: (contestant: Contestant) => Promise<Cost>,
): Promise<void> {
  const order = round % 2 === 0 ? contestants : contestants.toReversed();
  for (const contestant of order) {
    await settle();
    const cost = await work(contestant);
    const serverCpu = contestant instanceof Dozo ? contestant.serverCpu : 0;
    const byName = samples.get(what) ?? new Map<string, Sample[]>();
    samples.set(what, byName);
    byName.set(contestant.name, [...byName.get(contestant.name) ?? [], { ...cost, serverCpu }]);
    console.log(
      `${what.padEnd(30)} ${contestant.name.padEnd(7)} ${cost.seconds.toFixed(2).padStart(8)} s  ` +
        `cpu ${(cost.cpu + serverCpu).toFixed(1).padStart(6)} s  client ${cost.rss.toFixed(0).padStart(5)} MiB`,
    );
  }
}

async function emptied(path: string): Promise<string> {
  await Deno.remove(path, { recursive: true }).catch(() => {});
  await Deno.mkdir(path, { recursive: true });
  return path;
}

async function benchTree(
  contestants: readonly Contestant[],
  tree: string,
  folder: string,
  scale: number,
  round: number,
) {
  for (const contestant of contestants) await contestant.reset();
  await compare("tree: first backup", contestants, round, (one) => one.backupTree(tree, "full"));
  await compare("tree: again, read in full", contestants, round, (one) => one.backupTree(tree, "full"));
  for (const one of contestants) if (one instanceof Dozo) await one.prepareMetadata(tree);
  await compare("tree: again, metadata", contestants, round, (one) => one.backupTree(tree, "metadata"));
  await changeTree(tree, scale, round);
  await compare("tree: 1 % changed, metadata", contestants, round, (one) => one.backupTree(tree, "metadata"));
  await compare("tree: restore", contestants, round, async (one) => {
    const cost = await one.restoreTree(tree, await emptied(`${folder}/restored`));
    await requireSame(tree, one instanceof Restic ? `${folder}/restored${tree}` : `${folder}/restored`);
    return cost;
  });
  const [file] = changedFiles(tree, scale);
  await compare("tree: restore of one file", contestants, round, async (one) => {
    const cost = await one.restoreFile(tree, file, await emptied(`${folder}/restored`));
    const place = one instanceof Restic ? `${folder}/restored${file}` : `${folder}/restored${file.slice(tree.length)}`;
    await requireSame(file, place);
    return cost;
  });
}

async function benchImage(contestants: readonly Contestant[], image: string, folder: string, round: number) {
  for (const contestant of contestants) await contestant.reset();
  await compare("image: first backup", contestants, round, (one) => one.backupImage(image));
  await compare("image: again", contestants, round, (one) => one.backupImage(image));
  await compare("image: restore", contestants, round, async (one) => {
    const cost = await one.restoreImage(image, await emptied(`${folder}/restored`));
    await requireSame(image, one instanceof Restic ? `${folder}/restored${image}` : `${folder}/restored/disk`);
    return cost;
  });
}

/** A fast restore of wrong bytes is no restore. */
async function requireSame(expected: string, actual: string): Promise<void> {
  const { success, stdout } = await new Deno.Command("diff", { args: ["-rq", expected, actual] }).output();
  if (!success) throw new Error(`the restored data differs:\n${new TextDecoder().decode(stdout).slice(0, 2000)}`);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function summary(dozo: Dozo | undefined, stepsOf: ReadonlyMap<string, Steps>, sizes: ReadonlyMap<string, number>) {
  const rows: Record<string, unknown>[] = [];
  console.log(
    "\nmedians                            restic      dozo     ratio      goal   dozo cpu (server)  client RSS",
  );
  for (const [what, byName] of samples) {
    const of = (name: string, field: keyof Sample) => median((byName.get(name) ?? []).map((sample) => sample[field]));
    const [restic, own] = [of("restic", "seconds"), of("dozo", "seconds")];
    const row = {
      what,
      restic,
      dozo: own,
      ratio: restic / own,
      goal: GOALS[what],
      dozoCpu: of("dozo", "cpu") + of("dozo", "serverCpu"),
      serverCpu: of("dozo", "serverCpu"),
      clientRss: Math.max(...(byName.get("dozo") ?? []).map((sample) => sample.rss)),
      resticRss: Math.max(...(byName.get("restic") ?? []).map((sample) => sample.rss)),
    };
    rows.push(row);
    console.log(
      `${what.padEnd(30)} ${restic.toFixed(2).padStart(8)} s ${own.toFixed(2).padStart(8)} s ` +
        `${row.ratio.toFixed(2).padStart(7)} x ${String(row.goal).padStart(7)} x  ` +
        `${row.dozoCpu.toFixed(1).padStart(8)} s (${row.serverCpu.toFixed(1)} s) ${
          row.clientRss.toFixed(0).padStart(8)
        } MiB` +
        `${row.ratio < row.goal ? "   below the goal" : ""}`,
    );
  }
  for (const [what, steps] of stepsOf) {
    const sum = Object.values(steps).reduce((total, seconds) => total + seconds, 0);
    const mib = (sizes.get(what) ?? 0) / 2 ** 20;
    const parts = Object.entries(steps).map(([name, seconds]) => `${name} ${seconds.toFixed(2)} s`);
    console.log(
      `unavoidable steps of the ${what} (${mib.toFixed(0)} MiB), one after the other: ${parts.join(", ")}, ` +
        `sum ${sum.toFixed(2)} s`,
    );
    const first = samples.get(`${what}: first backup`)?.get("dozo");
    if (first) {
      const own = median(first.map((sample) => sample.seconds));
      console.log(`  first backup of the ${what}: ${(own / sum).toFixed(2)} times that sum`);
    }
  }
  if (dozo) {
    console.log(
      `largest resident set of a server process: ${dozo.serverPeak.toFixed(0)} MiB (goal ${MEMORY_GOAL_MIB})`,
    );
  }
  return { rows, steps: Object.fromEntries(stepsOf), serverPeak: dozo?.serverPeak };
}

async function filesOf(folder: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("find", { args: [folder, "-type", "f"] }).output();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

async function run(command: string, args: string[]): Promise<void> {
  const { success } = await new Deno.Command(command, { args, cwd: ROOT, stdin: "null" }).spawn().status;
  if (!success) throw new Error(`${command} ${args.join(" ")} failed`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: {
      scale: { type: "string", default: "1" },
      rounds: { type: "string", default: "3" },
      folder: { type: "string" },
      json: { type: "string" },
      "skip-build": { type: "boolean", default: false },
    },
  });
  const scale = Number(values.scale);
  const rounds = Number(values.rounds);
  const wants = (what: string) => positionals.length === 0 || positionals.includes(what);
  await run("bash", ["scripts/provision", "bench"]);
  if (!values["skip-build"]) await run(Deno.execPath(), ["run", "-A", "scripts/build.ts"]);

  const folder = values.folder ?? await Deno.makeTempDir({ dir: "/var/tmp", prefix: "dozo-bench-" });
  await Deno.mkdir(folder, { recursive: true });
  const [tree, image] = [`${folder}/tree`, `${folder}/image`];
  const stepsOf = new Map<string, Steps>();
  const sizes = new Map<string, number>();
  try {
    console.log(`data at scale ${scale} in ${folder}, ${navigator.hardwareConcurrency} cores, page cache warm`);
    if (wants("tree") || wants("steps")) sizes.set("tree", await makeTree(tree, scale));
    if (wants("image") || wants("steps")) sizes.set("image", await makeImage(image, scale));
    if (wants("steps")) {
      stepsOf.set("tree", await measureSteps(await filesOf(tree), folder));
      stepsOf.set("image", await measureSteps([image], folder));
    }
    let dozo: Dozo | undefined;
    if (wants("tree") || wants("image")) {
      await using own = await Dozo.start(folder);
      await using restic = new Restic(folder);
      dozo = own;
      for (let round = 0; round < rounds; round++) {
        if (wants("tree")) await benchTree([restic, own], tree, folder, scale, round);
        if (wants("image")) await benchImage([restic, own], image, folder, round);
      }
    }
    const result = summary(dozo, stepsOf, sizes);
    if (values.json) {
      await Deno.writeTextFile(values.json, JSON.stringify({ scale, rounds, ...result }, null, 2) + "\n");
    }
  } finally {
    await Deno.remove(values.folder ? `${folder}/written` : folder, { recursive: true }).catch(() => {});
  }
}

if (import.meta.main) await main();
