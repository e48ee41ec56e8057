/** How a server is started. */
import { DozoError } from "../base/errors.ts";

/** Options of `dozo server`. */
export interface ServerOptions {
  /** Directory of all state; absent: the system places named dozo. */
  readonly root?: string;
  /** `address:port`, `[address]:port`, `:port` or `port`; port 0 takes a free one. Default `:8007` on all addresses. */
  readonly listen?: string;
  /** Server processes that share the port; default: as many as cores, at most 4. */
  readonly workers?: number;
  /** File whose first line is the password of the first administrator, instead of a random one. */
  readonly adminPasswordFile?: string;
  /** Seconds that running sessions get to finish when the server stops; default 60. */
  readonly shutdownTimeout?: number;
  /** Receives the lines that a person should see; default: standard output. */
  readonly print?: (line: string) => void;
  /** Stops the server like SIGTERM does; for callers that run it inside their own process. */
  readonly signal?: AbortSignal;
}

/** Port that PBS clients use when none is given. */
export const DEFAULT_PORT = 8007;

/** An address to listen on. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Reads a `--listen` text. Throws {@link DozoError}. */
export function parseListen(text: string | undefined): ListenAddress {
  if (text === undefined || text === "") return { host: "::", port: DEFAULT_PORT };
  const match = /^(?:(?:\[([0-9a-fA-F:.%\w]+)\]|([^:\[\]]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535) {
    throw new DozoError(`unable to listen on '${text}': expected ADDRESS:PORT, [IPV6-ADDRESS]:PORT or PORT`);
  }
  return { host: match[1] || match[2] || "::", port };
}

/** Number of server processes by default. */
export function defaultWorkers(): number {
  return Math.min(4, navigator.hardwareConcurrency || 1);
}
