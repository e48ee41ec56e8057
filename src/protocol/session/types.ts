/** What the two kinds of session need from the server around them, and what they give it. */
import type { Duplex } from "node:stream";
import type { Datastore } from "../../datastore/datastore.ts";

/** Where a session writes what happens; each call is one line of the task log (time stamps are added there). */
export interface SessionLog {
  line(text: string): void;
}

/** The upgrade request after authentication. */
export interface UpgradeRequest {
  /** The query string as sent, without `?`. */
  readonly query: string;
  /** Value of the `Upgrade` header, if there is one. */
  readonly upgrade?: string;
  /** `1.1`, `2.0` … */
  readonly httpVersion: string;
  /** Address of the client, for the log. */
  readonly peer: string;
}

/** A datastore that is in use until `release` is called (once). */
export interface StoreLease {
  readonly store: Datastore;
  release(): void;
}

/** The server's side of a session: who calls, what that one may do, and which stores there are. */
export interface SessionHost {
  /** Authentication id of the caller, `user@realm` or `user@realm!token`. */
  readonly caller: string;
  /** Whether the caller has a privilege on an ACL path such as `["datastore", "store1", "a"]`. */
  hasPrivilege(privilege: "Datastore.Backup" | "Datastore.Read", path: readonly string[]): boolean | Promise<boolean>;
  /** Opens a configured store. Throws 400 when there is none of that name or its maintenance mode forbids `access`. */
  openStore(name: string, access: "read" | "write"): Promise<StoreLease>;
  /** Milliseconds before a 401 inside the session, against guessing (default 3000, `spec/rest-conventions.md` §5.5). */
  readonly unauthorizedDelay?: number;
}

/** A session after all checks: send the 101, register the worker task, then `serve`. */
export interface UpgradedSession {
  /** Worker type of the task: `backup`, `benchmark` or `reader`. */
  readonly workerType: "backup" | "benchmark" | "reader";
  /** Worker id of the task, unescaped, for example `store1:vm/100`. */
  readonly workerId: string;
  /** Value of the `Upgrade` header of the 101. */
  readonly protocol: string;
  /**
   * Speaks HTTP/2 on the socket until the connection ends; `head` are bytes that came with the request. Resolves when the
   * task is OK, rejects with the error of the task otherwise. Locks are released and leftovers removed either way.
   */
  serve(socket: Duplex, head: Uint8Array, log: SessionLog): Promise<void>;
  /** Ends the session: a task was aborted (before or while it is served). */
  abort(reason: Error): void;
  /** Gives everything back when the session will not be served (the client went before the 101). */
  cancel(): Promise<void>;
}
