/** Calls inside a session, as both kinds of client make them: `spec/backup-protocol.md` §5. */
import { DozoError } from "../base/errors.ts";
import type { BufferPool } from "./http2/buffer_pool.ts";
import type { ClientConnection, ClientResponse } from "./http2/types.ts";

/** Parameters of a call; undefined ones are left out. */
export type CallParameters = Readonly<Record<string, string | number | undefined>>;

/** Answers other than files and chunks are short, bytes. */
const MAX_JSON = 1024 * 1024;

/** `/name?query` with the names in alphabetical order, as the reference client sends them. */
export function callPath(name: string, parameters: CallParameters = {}): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined).sort((
    [a],
    [b],
  ) => (a < b ? -1 : 1));
  if (given.length === 0) return `/${name}`;
  return `/${name}?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}

/** `data` of a JSON answer. Rejects with {@link DozoError}: the server's status and text when it refuses. */
export async function callJson(
  http: ClientConnection,
  method: string,
  path: string,
  send: { body?: Uint8Array; headers?: Readonly<Record<string, string>>; signal?: AbortSignal } = {},
): Promise<unknown> {
  const answer = await http.request({ method, path, ...send, limit: MAX_JSON });
  refuseError(path, answer);
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(answer.body));
    if (typeof value === "object" && value !== null && "data" in value) return value.data;
  } catch (cause) {
    throw new DozoError(`the server's answer to ${nameOf(path)} is no JSON`, { status: 502, cause });
  }
  throw new DozoError(`the server's answer to ${nameOf(path)} has no data`, { status: 502 });
}

/** Raw bytes of an answer, at most `limit`; in memory from `pool` if there is one. */
export async function callBytes(
  http: ClientConnection,
  path: string,
  limit: number,
  options: { signal?: AbortSignal; pool?: BufferPool } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await http.request({ method: "GET", path, limit, ...options });
  refuseError(path, answer);
  return answer.body;
}

/** Throws the server's text as {@link DozoError} with its status unless that is 2xx. */
export function refuseError(path: string, answer: Pick<ClientResponse, "status" | "body">): void {
  if (answer.status >= 200 && answer.status < 300) return;
  const text = new TextDecoder().decode(answer.body.subarray(0, 4096)).trim();
  throw new DozoError(text || `the server refuses ${nameOf(path)} with status ${answer.status}`, {
    status: answer.status,
  });
}

function nameOf(path: string): string {
  return path.split("?")[0].slice(1);
}
