/** The users and tokens of `user.cfg` as they are at one moment (`spec/auth.md` §1). */
import { errorMessage } from "../base/errors.ts";
import type { Sections } from "../config/section_type.ts";
import { TOKEN, USER } from "../config/users.ts";
import { type AuthId, SUPERUSER } from "./authid.ts";

interface Identity {
  readonly enable?: boolean;
  readonly expire?: number;
}

/** Index over one state of the file. */
export class Identities {
  readonly #users = new Map<string, Identity>();
  readonly #tokens = new Map<string, Identity>();

  constructor(sections: Sections) {
    for (const section of sections.all) {
      const [type, index] = section.type === "token" ? [TOKEN, this.#tokens] as const : [USER, this.#users] as const;
      if (section.type !== type.type) continue;
      try {
        index.set(section.id, type.read(section));
      } catch (error) {
        // An identity with an unreadable line must not be able to log in, and must not keep the others from it.
        console.error(`user.cfg: ${errorMessage(error)}; the identity is treated as disabled`);
        index.set(section.id, { enable: false });
      }
    }
  }

  /** Whether the user or token exists, is enabled and not expired at `now` (Unix seconds). A token needs an active user. */
  isActive(id: AuthId, now: number): boolean {
    const active = (identity: Identity | undefined) =>
      identity !== undefined && identity.enable !== false && (!identity.expire || identity.expire > now);
    const user = this.#users.get(id.userid);
    const userActive = id.userid === SUPERUSER && user === undefined ? true : active(user);
    return userActive && (id.token === undefined || active(this.#tokens.get(id.text)));
  }

  /** Whether a user or token section exists; the superuser always does. */
  exists(id: AuthId): boolean {
    return id.token !== undefined ? this.#tokens.has(id.text) : id.text === SUPERUSER || this.#users.has(id.text);
  }
}
