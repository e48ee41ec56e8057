/** Identities: user ids, token ids and what they own (`spec/auth.md` §1 and §14.2). */
import { DozoError } from "../base/errors.ts";

/** The identity that passes every check; its tokens do not. */
export const SUPERUSER = "root@pam";

/** The parts of an authentication id. */
export interface AuthId {
  /** The whole text: `name@realm` or `name@realm!token`. */
  readonly text: string;
  /** `name@realm` */
  readonly userid: string;
  readonly name: string;
  readonly realm: string;
  /** Token name; absent for a user login. */
  readonly token?: string;
}

const AUTHID = /^([^\s:/\p{Cc}]+)@([A-Za-z0-9_][A-Za-z0-9._-]*)(?:!([A-Za-z0-9_][A-Za-z0-9._-]*))?$/u;

/** The parts of an authid text, or undefined when it is none. The last `@` separates the realm. */
export function tryParseAuthId(text: string): AuthId | undefined {
  const match = text.length <= 64 ? AUTHID.exec(text) : null;
  if (!match) return undefined;
  const [, name, realm, token] = match;
  return { text, userid: `${name}@${realm}`, name, realm, ...(token === undefined ? {} : { token }) };
}

/** The parts of an authid text. Throws {@link DozoError}. */
export function parseAuthId(text: string): AuthId {
  const parsed = tryParseAuthId(text);
  if (!parsed) throw new DozoError(`not a valid user or token id: '${text.slice(0, 80)}'`);
  return parsed;
}

/** Whether `authid` owns what belongs to `owner`: itself, or it is the user of the owning token. */
export function owns(authid: string, owner: string): boolean {
  return authid === owner || tryParseAuthId(owner)?.userid === authid;
}
