/**
 * What a method of the API says about itself. Routing, parameter checks, permission checks and directory listings come
 * from these values, and later `dozo manager` commands, the API viewer and UI forms.
 */
import type { Duplex } from "node:stream";
import type { z } from "zod";
import type { Caller } from "../access/caller.ts";
import type { Privilege } from "../access/privileges.ts";
import type { Services } from "./services.ts";

export type Verb = "GET" | "POST" | "PUT" | "DELETE";

/** The declarative rule of a method, in the form of `spec/api-schema.json` (`spec/auth.md` §14.1). */
export type Permission =
  /** `world`: everybody, without login; `all`: every login; `root@pam`: the superuser only. */
  | { readonly user: "world" | "all" | "root@pam" }
  /** Privileges on a path whose `{param}` components are filled in; `any`: one suffices. */
  | {
    readonly check: { readonly path: readonly string[]; readonly privs: readonly Privilege[]; readonly any: boolean };
  }
  /** The named parameter is the caller itself (a user login, no token). */
  | { readonly userParam: string }
  | { readonly or: readonly Permission[] }
  | { readonly and: readonly Permission[] };

/** Raw bytes as the answer, in place of JSON. A stream is read with back pressure; its `return()` is called when the client goes away. */
export class RawResult {
  constructor(
    readonly body: Uint8Array | string | AsyncIterable<Uint8Array>,
    readonly headers: Readonly<Record<string, string>> = { "content-type": "application/octet-stream" },
  ) {}
}

/** Answer of an upgrade request: after `101 Switching Protocols` the socket belongs to `accept`. */
export class UpgradeResult {
  constructor(
    readonly protocol: string,
    /** Takes the socket over; `head` are bytes that came with the request. Resolves when the session has ended. */
    readonly accept: (socket: Duplex, head: Uint8Array) => Promise<void>,
    /** Ends a session that was promised but whose 101 could not be sent. */
    readonly abandon: (reason: Error) => Promise<void>,
  ) {}
}

/** JSON answer with members beside `data` (`digest`, `total` …) or response headers. */
export class JsonResult {
  constructor(
    readonly data: unknown,
    readonly attributes: Readonly<Record<string, unknown>> = {},
    readonly headers: Readonly<Record<string, string>> = {},
  ) {}
}

/** What a handler gets beside its parameters. */
export interface RequestContext {
  readonly services: Services;
  /** Who calls. Throws on `world` methods that were called without login. */
  readonly caller: Caller;
  /** Address of the peer as `[ip]:port`. */
  readonly peer: string;
  /** Header of the request by lower-case name. */
  header(name: string): string | undefined;
  /** The query string as sent, without `?`. */
  readonly query: string;
  /** `1.1` and the like. */
  readonly httpVersion: string;
  /** The raw request body of an upload, whole. Throws 400 above `limit` bytes. */
  readBody(limit: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/** Value of a handler: JSON data, or one of the result classes. */
export type HandlerResult = unknown;

/** One method of the API. */
export interface Method<S extends z.ZodObject = z.ZodObject> {
  readonly verb: Verb;
  /** Path below the format, with placeholders: `/admin/datastore/{store}/status`. */
  readonly path: string;
  readonly description: string;
  /** All parameters, path placeholders included. */
  readonly params: S;
  /** Schema of `data`; absent: null. */
  readonly returns?: z.ZodType;
  readonly permission: Permission;
  /** Needs the privileged process when there are two. */
  readonly protected?: boolean;
  /** Starts a worker task and returns its UPID. */
  readonly task?: boolean;
  /** How parameters and answer travel; default `json`. The parameters of an `upgrade` are checked by the session itself. */
  readonly kind?: "json" | "download" | "upload" | "upgrade";
  readonly handler: (params: z.output<S>, context: RequestContext) => HandlerResult | Promise<HandlerResult>;
}

/** A method with the type of its parameters checked against its handler, kept in the table as a general one. */
export function method<S extends z.ZodObject>(definition: Method<S>): Method {
  return Object.freeze(definition) as unknown as Method;
}
