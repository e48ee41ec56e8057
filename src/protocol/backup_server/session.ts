/** A running backup session: HTTP/2 until the connection ends, then success or clean-up (`spec/backup-protocol.md` §9). */
import type { Duplex } from "node:stream";
import { DozoError, errorMessage } from "../../base/errors.ts";
import type { BackupWriter } from "../../datastore/backup_writer.ts";
import type { SnapshotRef } from "../../datastore/types.ts";
import { formatGroup, formatSnapshot } from "../../formats/backup_path.ts";
import { serveHttp2 } from "../http2/server.ts";
import type { ServerConnection } from "../http2/types.ts";
import { sessionHandler } from "../session/router.ts";
import type { SessionLog, StoreLease, UpgradedSession } from "../session/types.ts";
import { backupCalls } from "./calls.ts";
import { SessionState } from "./session_state.ts";

/** Request bodies in memory per connection: nearly eight usual chunks; more of them in flight make it slower, not faster. */
const RECEIVE_BUDGET = 32 * 1024 * 1024;

/** Value of the `Upgrade` header. */
export const BACKUP_PROTOCOL = "proxmox-backup-protocol-v1";

/** A backup session after all checks. */
export class BackupSession implements UpgradedSession {
  readonly protocol = BACKUP_PROTOCOL;
  readonly workerType: "backup" | "benchmark";
  readonly workerId: string;
  readonly snapshot: SnapshotRef;
  readonly #lease: StoreLease;
  readonly #writer: BackupWriter;
  readonly #peer: string;
  readonly #state = new SessionState();
  #connection: ServerConnection | undefined;
  #aborted: Error | undefined;
  #released = false;

  constructor(lease: StoreLease, writer: BackupWriter, options: { benchmark: boolean; peer: string }) {
    this.#lease = lease;
    this.#writer = writer;
    this.#peer = options.peer;
    this.snapshot = writer.snapshot;
    this.workerType = options.benchmark ? "benchmark" : "backup";
    this.workerId = `${lease.store.name}:${formatGroup(writer.snapshot)}`;
  }

  /** Whether the snapshot has become valid (for verification of new snapshots). */
  get finished(): boolean {
    return this.#state.finished;
  }

  async serve(socket: Duplex, head: Uint8Array, log: SessionLog): Promise<void> {
    log.line(
      `starting new ${this.workerType} on datastore '${this.#lease.store.name}' from ${this.#peer}: ` +
        `"${formatSnapshot(this.snapshot)}"`,
    );
    for (const note of this.#writer.notes) log.line(note);
    const parts = { state: this.#state, writer: this.#writer, chunks: this.#lease.store.chunks, log };
    try {
      this.#connection = serveHttp2(socket, head, sessionHandler(backupCalls(parts), log), {
        receiveBudget: RECEIVE_BUDGET,
      });
      if (this.#aborted) this.#connection.abort(this.#aborted);
      const { error } = await this.#connection.closed;
      await this.#end(this.#aborted ?? error, log);
    } finally {
      await this.cancel();
    }
  }

  /** Turns the end of the connection into the end of the task. */
  async #end(error: Error | undefined, log: SessionLog): Promise<void> {
    if (this.#state.finished) {
      if (error) log.line(`connection ended after the backup was finished: ${errorMessage(error)}`);
      log.line("backup finished successfully");
      return;
    }
    const name = `"${formatSnapshot(this.snapshot)}"`;
    if (this.workerType === "benchmark") {
      log.line("benchmark finished successfully");
      log.line(`removing backup snapshot ${name}`);
      await this.#writer.abort();
      return;
    }
    const failure = error ?? new DozoError("backup ended but finished state is not set.");
    log.line(error ? `backup failed: ${errorMessage(error)}` : `backup ended and finish failed: ${failure.message}`);
    log.line(`removing unfinished backup snapshot ${name}`);
    await this.#writer.abort();
    throw failure;
  }

  abort(reason: Error): void {
    this.#aborted ??= reason;
    this.#connection?.abort(reason);
  }

  async cancel(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    try {
      await this.#writer.abort();
    } finally {
      this.#lease.release();
    }
  }
}
