/** Logins and the identity of requests (`spec/auth.md` §2 and §3). */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { DozoError, errorMessage } from "../base/errors.ts";
import type { ServerConfig } from "../config/server_config.ts";
import type { SigningKeys } from "../config/signing_keys.ts";
import type { AuthLog } from "./auth_log.ts";
import { type AuthId, parseAuthId, tryParseAuthId } from "./authid.ts";
import { Caller } from "./caller.ts";
import { credentialsOf } from "./credentials.ts";
import { csrfToken, isCsrfToken } from "./csrf.ts";
import { Identities } from "./identities.ts";
import { hashPassword, isOldHash, verifyPassword } from "./password.ts";
import { challengeFor, checkResponse } from "./second_factor.ts";
import { challengeOfTicket, fullTicket, partialTicket, userOfTicket } from "./ticket.ts";

/** A request or login that is refused. The message is what the client sees; `reason` is for the log only. */
export class AuthError extends DozoError {
  override readonly name = "AuthError";

  constructor(message: string, readonly reason: string) {
    super(message, { status: 401 });
  }
}

/** The headers of a request that matter for its identity. */
export interface RequestIdentity {
  readonly cookie?: string;
  readonly authorization?: string;
  /** Header `CSRFPreventionToken`. */
  readonly csrf?: string;
  readonly verb: string;
  /** `[ip]:port` */
  readonly peer: string;
}

/** What a successful login gives. */
export interface Login {
  readonly userid: string;
  /** A full ticket, or a partial one that only carries the challenge for the second factor. */
  readonly ticket: string;
  /** Absent with a partial ticket. */
  readonly csrf?: string;
}

/** Verified token secrets and tickets that are kept, at most. */
const MAX_KNOWN = 10_000;
/** How long the verification of a ticket is remembered; a ticket may live longer than two hours by as much. */
const KNOWN_TICKET_SECONDS = 20;

/** Identity and rights for one server. Everything is read from the configuration files, which are cached by their state. */
export class AccessControl {
  readonly #config: ServerConfig;
  readonly #keys: SigningKeys;
  readonly #log: AuthLog;
  readonly #now: () => number;
  #identities?: { readonly of: unknown; readonly value: Identities };
  /** Keyed digest of a secret that verified against the hash given as the map's key. */
  readonly #knownSecrets = new Map<string, Uint8Array>();
  readonly #secretKey = randomBytes(32);
  /** Users of tickets whose signature was checked, and until when that is remembered. */
  readonly #knownTickets = new Map<string, { readonly userid: string; readonly until: number }>();

  /** `now`: Unix seconds. */
  constructor(config: ServerConfig, keys: SigningKeys, log: AuthLog, now: () => number = () => Date.now() / 1000) {
    this.#now = now;
    this.#config = config;
    this.#keys = keys;
    this.#log = log;
  }

  /** The users and tokens as they are now. */
  identities(): Identities {
    const sections = this.#config.users.read().value;
    if (this.#identities?.of !== sections) this.#identities = { of: sections, value: new Identities(sections) };
    return this.#identities.value;
  }

  /** Whether an identity may act now. */
  isActive(id: AuthId): boolean {
    return this.identities().isActive(id, this.#now());
  }

  /** The caller object of a known identity, without any proof. Throws {@link DozoError} on a malformed id. */
  callerOf(authid: string): Caller {
    const identities = this.identities();
    return new Caller(
      parseAuthId(authid),
      this.#config.acl.read().value,
      (id) => identities.isActive(id, this.#now()),
    );
  }

  /** Who makes a request. Throws {@link AuthError} (401) without valid credentials; that is logged. */
  async authenticate(request: RequestIdentity): Promise<Caller> {
    let claimed = "unknown";
    try {
      const credentials = credentialsOf(request.cookie, request.authorization);
      if (!credentials) throw new DozoError("no authentication credentials provided.");
      if (credentials.kind === "token") {
        claimed = credentials.tokenid;
        return await this.#byToken(credentials.tokenid, credentials.secret);
      }
      const userid = this.#userOfTicket(credentials.ticket);
      if (userid === undefined) throw new DozoError("invalid ticket");
      claimed = userid;
      return this.#byTicketUser(userid, request);
    } catch (error) {
      const reason = errorMessage(error);
      this.#log.failure(request.peer, claimed, reason);
      throw new AuthError("authentication failed", reason);
    }
  }

  /** As {@link userOfTicket}; a ticket that was good a moment ago is not verified again. */
  #userOfTicket(ticket: string): string | undefined {
    const now = this.#now();
    const known = this.#knownTickets.get(ticket);
    if (known && now < known.until) return known.userid;
    const userid = userOfTicket(this.#keys.publicKey, ticket, now);
    if (userid === undefined) return undefined;
    if (this.#knownTickets.size >= MAX_KNOWN) this.#knownTickets.clear();
    this.#knownTickets.set(ticket, { userid, until: now + KNOWN_TICKET_SECONDS });
    return userid;
  }

  #byTicketUser(userid: string, request: RequestIdentity): Caller {
    const caller = this.callerOf(userid);
    if (caller.id.token !== undefined || !this.isActive(caller.id)) {
      throw new DozoError("user account disabled or expired.");
    }
    if (request.verb !== "GET") {
      if (request.csrf === undefined) throw new DozoError("missing CSRF prevention token");
      if (!isCsrfToken(this.#keys.csrfKey, request.csrf, userid, this.#now())) {
        throw new DozoError("invalid CSRF prevention token");
      }
    }
    return caller;
  }

  async #byToken(tokenid: string, secret: string): Promise<Caller> {
    const caller = this.callerOf(tokenid);
    if (!this.isActive(caller.id)) throw new DozoError("user account disabled or expired.");
    const hash = this.#config.tokenSecrets.read().value.get(tokenid);
    if (hash === undefined) throw new DozoError("invalid API token");
    if (!(await this.#secretMatches(tokenid, secret, hash))) throw new DozoError("invalid API token secret");
    return caller;
  }

  /** A slow hash is computed once per secret; afterwards a keyed digest of it is compared. */
  async #secretMatches(tokenid: string, secret: string, hash: string): Promise<boolean> {
    const digest = createHmac("sha256", this.#secretKey).update(secret).digest();
    const key = `${tokenid}\0${hash}`;
    const known = this.#knownSecrets.get(key);
    if (known && timingSafeEqual(known, digest)) return true;
    if (!(await verifyPassword(secret, hash))) return false;
    if (this.#knownSecrets.size >= MAX_KNOWN) this.#knownSecrets.clear();
    this.#knownSecrets.set(key, digest);
    return true;
  }

  /**
   * Logs a user in by password or by an earlier ticket; with `challenge`, the partial ticket of the first step, `password` is
   * the response of the second factor. Throws {@link AuthError} (401) with the text that clients know.
   */
  async login(username: string, password: string, peer: string, challenge?: string): Promise<Login> {
    try {
      const id = tryParseAuthId(username);
      if (!id || id.token !== undefined) throw new DozoError("not a user id");
      if (!this.isActive(id)) throw new DozoError("user account disabled or expired.");
      const pending = await this.#proveIdentity(id, password, challenge);
      const now = this.#now();
      if (pending !== undefined) {
        return { userid: username, ticket: partialTicket(this.#keys.privateKey, username, pending, now) };
      }
      this.#log.success(username);
      return {
        userid: username,
        ticket: fullTicket(this.#keys.privateKey, username, now),
        csrf: csrfToken(this.#keys.csrfKey, username, now),
      };
    } catch (error) {
      const reason = errorMessage(error);
      this.#log.failure(peer, username, reason);
      throw new AuthError("permission check failed.", reason);
    }
  }

  /** Throws unless the user is who it claims to be; returns the challenge when a second factor is still to be checked. */
  async #proveIdentity(id: AuthId, password: string, challenge?: string): Promise<string | undefined> {
    const now = this.#now();
    const factors = this.#config.secondFactors;
    if (challenge !== undefined) {
      if (challengeOfTicket(this.#keys.publicKey, challenge, id.text, now) === undefined) {
        throw new DozoError("invalid second factor challenge");
      }
      await checkResponse(factors, id.text, password, now, this.#config.directories.run);
      return undefined;
    }
    const renewing = password.startsWith("PBS:") ? userOfTicket(this.#keys.publicKey, password, now) : undefined;
    if (renewing !== undefined) {
      if (renewing !== id.text) throw new DozoError("ticket belongs to another user");
      return undefined;
    }
    await this.checkPassword(id, password);
    return challengeFor(factors.read().value, id.text);
  }

  /** Checks a password against the user's realm. Throws {@link DozoError} with the reason; never show that to a client. */
  async checkPassword(id: AuthId, password: string): Promise<void> {
    if (id.realm !== "pbs") throw new DozoError(`realm '${id.realm}' is not available`);
    const hash = this.#config.passwords.read().value.get(id.name);
    if (hash === undefined || password === "") {
      // The same work as for an existing user, so that the time does not tell which names exist.
      await verifyPassword(password, "$5$rounds=100000$unknownuser$");
      throw new DozoError("invalid credentials");
    }
    if (!(await verifyPassword(password, hash))) throw new DozoError("invalid credentials");
    if (isOldHash(hash)) await this.#rehash(id.name, password, hash);
  }

  /** Checks the caller's own password before a sensitive change. Throws {@link AuthError} (401), which is delayed like a failed login. */
  async confirmPassword(id: AuthId, password: string): Promise<void> {
    try {
      await this.checkPassword(id, password);
    } catch (error) {
      throw new AuthError("permission check failed.", errorMessage(error));
    }
  }

  async #rehash(name: string, password: string, old: string): Promise<void> {
    const hash = await hashPassword(password);
    if (isOldHash(hash)) return;
    await this.#config.passwords.update((hashes) => hashes.get(name) === old ? hashes.set(name, hash) : undefined);
  }

  /** Stores the password of a user of the `pbs` realm. */
  async setPassword(id: AuthId, password: string): Promise<void> {
    if (id.realm !== "pbs") throw new DozoError(`cannot set a password in realm '${id.realm}'`);
    const hash = await hashPassword(password);
    await this.#config.passwords.update((hashes) => hashes.set(id.name, hash));
  }

  /** Stores the secret of a token. */
  async setTokenSecret(tokenid: string, secret: string): Promise<void> {
    const hash = await hashPassword(secret);
    await this.#config.tokenSecrets.update((hashes) => hashes.set(tokenid, hash));
  }
}
