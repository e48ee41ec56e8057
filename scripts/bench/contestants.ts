/** The two programs that the benchmark lets do the same work. */
import { Api } from "../../test/e2e/api.ts";
import { DOZO, Server } from "../../test/e2e/harness.ts";
import { type Cost, footprint, resetPeak, timed } from "./process.ts";

/** How a tree is read on the second backup. */
export type Reading = "full" | "metadata";

/** A backup program with a place of its own to store in. */
export interface Contestant extends AsyncDisposable {
  readonly name: string;
  /** Begins with an empty store. */
  reset(): Promise<void>;
  backupTree(folder: string, reading: Reading): Promise<Cost>;
  backupImage(path: string): Promise<Cost>;
  restoreTree(source: string, target: string): Promise<Cost>;
  /** Restores the one file `path` of the tree `source`. */
  restoreFile(source: string, path: string, target: string): Promise<Cost>;
  restoreImage(source: string, target: string): Promise<Cost>;
}

/** restic from Debian, on local disk without a server. */
export class Restic implements Contestant {
  readonly name = "restic";
  readonly #home: string;
  #round = 0;

  constructor(home: string) {
    this.#home = home;
  }

  async reset(): Promise<void> {
    await Deno.remove(this.#repository, { recursive: true }).catch(() => {});
    this.#round++;
    await this.#run("init");
  }

  backupTree(folder: string, reading: Reading): Promise<Cost> {
    return this.#run("backup", ...(reading === "full" ? ["--force"] : []), folder);
  }

  backupImage(path: string): Promise<Cost> {
    return this.#run("backup", "--force", path);
  }

  restoreTree(source: string, target: string): Promise<Cost> {
    return this.#run("restore", "latest", "--path", source, "--target", target);
  }

  restoreFile(source: string, path: string, target: string): Promise<Cost> {
    return this.#run("restore", "latest", "--path", source, "--include", path, "--target", target);
  }

  restoreImage(source: string, target: string): Promise<Cost> {
    return this.#run("restore", "latest", "--path", source, "--target", target);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#repository, { recursive: true }).catch(() => {});
  }

  get #repository(): string {
    return `${this.#home}/restic-${this.#round}`;
  }

  #run(...args: string[]): Promise<Cost> {
    return timed("restic", ["--quiet", "--repo", this.#repository, ...args], {
      HOME: this.#home,
      RESTIC_PASSWORD: "benchmark",
    });
  }
}

/** dozo: client and server as separate processes, TLS between them. */
export class Dozo implements Contestant {
  readonly name = "dozo";
  /** Largest resident set of a server process so far, in MiB. */
  serverPeak = 0;
  /** Processor time of the server during the last run, in seconds. */
  serverCpu = 0;
  readonly #server: Server;
  readonly #api: Api;
  readonly #home: string;
  #round = 0;

  private constructor(server: Server, api: Api, home: string) {
    this.#server = server;
    this.#api = api;
    this.#home = home;
  }

  static async start(home: string): Promise<Dozo> {
    const server = await Server.start(`${home}/server`);
    return new Dozo(server, await Api.login(server), home);
  }

  async reset(): Promise<void> {
    await this.#removeStore();
    this.#round++;
    await this.#api.createDatastore(this.#store, `${this.#home}/${this.#store}`);
  }

  backupTree(folder: string, reading: Reading): Promise<Cost> {
    const mode = reading === "metadata" ? "metadata" : "legacy";
    return this.#backup("tree", `tree.pxar:${folder}`, "--change-detection-mode", mode);
  }

  /** Prepares a run in metadata mode, which compares with a snapshot of the same mode. */
  async prepareMetadata(folder: string): Promise<void> {
    await this.#backup("tree", `tree.pxar:${folder}`, "--change-detection-mode", "metadata");
  }

  backupImage(path: string): Promise<Cost> {
    return this.#backup("image", `disk.img:${path}`);
  }

  async restoreTree(_source: string, target: string): Promise<Cost> {
    return await this.#client("restore", await this.#latest("tree"), "tree.pxar", target);
  }

  async restoreFile(source: string, path: string, target: string): Promise<Cost> {
    const pattern = path.slice(source.length);
    return await this.#client("restore", await this.#latest("tree"), "tree.pxar", target, "--pattern", pattern);
  }

  async restoreImage(_source: string, target: string): Promise<Cost> {
    return await this.#client("restore", await this.#latest("image"), "disk.img", `${target}/disk`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    await Deno.remove(`${this.#home}/${this.#store}`, { recursive: true }).catch(() => {});
  }

  get #store(): string {
    return `store-${this.#round}`;
  }

  async #removeStore(): Promise<void> {
    if (this.#round === 0) return;
    const upid = await this.#api.call("DELETE", `/config/datastore/${this.#store}?destroy-data=1`);
    if (typeof upid === "string") await this.#api.finished(upid);
  }

  async #backup(id: string, ...args: string[]): Promise<Cost> {
    // Snapshots are named by the second.
    await new Promise((resolve) => setTimeout(resolve, 1100 - Date.now() % 1000));
    return await this.#client("backup", ...args, "--backup-id", id);
  }

  /** The newest snapshot of `host/ID`: the group alone names it. */
  #latest(id: string): Promise<string> {
    return Promise.resolve(`host/${id}`);
  }

  async #client(...args: string[]): Promise<Cost> {
    resetPeak(this.#server.pid);
    const before = footprint(this.#server.pid).cpu;
    const cost = await timed(DOZO, ["client", ...args], this.#server.clientEnv(this.#store));
    const after = footprint(this.#server.pid);
    this.serverPeak = Math.max(this.serverPeak, after.peak);
    this.serverCpu = after.cpu - before;
    return cost;
  }
}
