/** The HTTP proxy that `ALL_PROXY` names (row CL-25). */
import { DozoError } from "../base/errors.ts";
import type { ProxyAddress } from "../protocol/server_address.ts";

const DEFAULT_PORT = 1080;
const FORM = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:([^@/]*)@)?(\[[0-9a-fA-F:.]+\]|[^:/@\s[\]]+)(?::(\d{1,5}))?\/?$/i;

/** Reads `[http://][user:password@]host[:port]`; nothing for an empty or absent text. Throws {@link DozoError}. */
export function parseProxy(text: string | undefined): ProxyAddress | undefined {
  if (!text) return undefined;
  const match = FORM.exec(text);
  if (!match) throw new DozoError("ALL_PROXY is not a proxy: expected [http://][user:password@]host[:port]");
  const [, scheme = "http", login, host, port] = match;
  if (scheme.toLowerCase() !== "http") {
    throw new DozoError(`ALL_PROXY: only HTTP proxies are supported, not '${scheme}'`);
  }
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (number < 1 || number > 65535) throw new DozoError(`ALL_PROXY: port ${port} is not in 1..65535`);
  return {
    host: host.replace(/^\[|\]$/g, ""),
    port: number,
    authorization: login === undefined ? undefined : `Basic ${btoa(decoded(login))}`,
  };
}

function decoded(login: string): string {
  try {
    return decodeURIComponent(login);
  } catch {
    return login;
  }
}
