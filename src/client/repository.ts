/**
 * Where a backup goes: user, server, port and datastore.
 *
 * Text form `[[auth-id@]server[:port]:]datastore` (rows CL-01 … CL-10); parts may come from options or variables instead.
 */
import { DozoError } from "../base/errors.ts";

/** A resolved repository. `authId` is `user@realm` or `user@realm!token`; IPv6 addresses carry no brackets. */
export interface Repository {
  readonly authId: string;
  readonly server: string;
  readonly port: number;
  readonly datastore: string;
}

/** The single options that replace `--repository`. */
export interface RepositoryParts {
  readonly server?: string;
  readonly port?: number;
  readonly datastore?: string;
  readonly authId?: string;
}

const DEFAULT_AUTH_ID = "root@pam";
const DEFAULT_SERVER = "localhost";
const DEFAULT_PORT = 8007;
const MAX_TEXT = 256;

const SAFE_ID = String.raw`[A-Za-z0-9_][A-Za-z0-9._\-]*`;
const USER = String.raw`[^\s:/\x00-\x1f\x7f]+`;
const AUTH_ID = `${USER}@${SAFE_ID}(?:!${SAFE_ID})?`;
const LABEL = String.raw`[a-zA-Z0-9](?:[a-zA-Z0-9\-]*[a-zA-Z0-9])?`;
const HOST = String.raw`(?:${LABEL}\.)*${LABEL}`;
const IPV6 = String.raw`\[[0-9a-fA-F:.]+\]`;
/** Text form of a repository. */
export const REPOSITORY_PATTERN = new RegExp(
  `^(?:(?:(${AUTH_ID})@)?(${HOST}|${IPV6}):)?(?:([0-9]{1,5}):)?(${SAFE_ID})$`,
);

/** Host name or address, IPv6 addresses in brackets. */
export const SERVER_PATTERN = new RegExp(`^(?:${HOST}|${IPV6})$`);

/** Reads a repository string. Throws {@link DozoError} naming the expected form. */
export function parseRepository(text: string): Repository {
  const match = text.length <= MAX_TEXT ? REPOSITORY_PATTERN.exec(text) : null;
  if (!match) {
    throw new DozoError(
      `unable to parse repository '${text}': expected [[user@realm[!token]@]server[:port]:]datastore`,
    );
  }
  const [, authId, host, port, datastore] = match;
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (number < 1 || number > 65535) throw new DozoError(`repository '${text}': port ${port} is not in 1..65535`);
  return {
    authId: authId ?? DEFAULT_AUTH_ID,
    server: (host ?? DEFAULT_SERVER).replace(/^\[|\]$/g, ""),
    port: number,
    datastore,
  };
}

/** The text form with all parts that differ from the defaults. */
export function formatRepository(repository: Repository): string {
  const { authId, server, port, datastore } = repository;
  const host = server.includes(":") ? `[${server}]` : server;
  const withPort = port === DEFAULT_PORT ? "" : `${port}:`;
  if (authId === DEFAULT_AUTH_ID) {
    return server === DEFAULT_SERVER ? `${withPort}${datastore}` : `${host}:${withPort}${datastore}`;
  }
  return `${authId}@${host}:${withPort}${datastore}`;
}

type Environment = (name: string) => string | undefined;

/**
 * Chooses the repository: the option, the part options (missing parts from `PBS_SERVER` …), `PBS_REPOSITORY`
 * (or its systemd credential), the part variables; in this order (`spec/cli-output.md` §8).
 */
export function resolveRepository(
  options: { readonly repository?: string; readonly parts: RepositoryParts },
  env: Environment,
  credential: string | undefined,
): Repository {
  const { repository, parts } = options;
  const hasParts = Object.values(parts).some((value) => value !== undefined);
  if (repository !== undefined) {
    if (hasParts) {
      throw new DozoError("--repository excludes --server, --port, --datastore and --auth-id: give one or the other");
    }
    return parseRepository(repository);
  }
  if (hasParts) return fromParts(parts, env);
  const fromEnv = env("PBS_REPOSITORY") || credential;
  if (fromEnv) return parseRepository(fromEnv);
  return fromParts({}, env);
}

function fromParts(parts: RepositoryParts, env: Environment): Repository {
  const datastore = parts.datastore ?? env("PBS_DATASTORE");
  if (!datastore) throw new DozoError("unable to get (default) repository");
  const port = parts.port ?? Number(env("PBS_PORT") || DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new DozoError(`PBS_PORT '${env("PBS_PORT")}' is not a port number`);
  }
  return {
    authId: parts.authId ?? (env("PBS_AUTH_ID") || DEFAULT_AUTH_ID),
    server: (parts.server ?? (env("PBS_SERVER") || DEFAULT_SERVER)).replace(/^\[|\]$/g, ""),
    port,
    datastore,
  };
}
