/** A server as the client commands use it: trusted certificate, login, REST calls with the API's envelope. */
import { DozoError } from "../base/errors.ts";
import type { ServerAddress, ServerCertificate } from "../protocol/server_address.ts";
import { loadFingerprint, storeFingerprint } from "./fingerprints.ts";
import { countRepository } from "./repository_list.ts";
import { parseProxy } from "./proxy.ts";
import { formatRepository, type Repository } from "./repository.ts";
import { type HttpAnswer, HttpClient } from "./http.ts";
import { LOGIN_PASSWORD, readCredential, secretFromEnvironment } from "./secrets.ts";
import { dropTicket, loadTicket, storeTicket } from "./tickets.ts";

/** How a person is asked; both throw where nobody can answer. */
export interface Prompts {
  /** True when a person can be asked. */
  readonly interactive: boolean;
  /** Reads a password without echo. */
  password(question: string): Promise<string>;
  /** A yes/no question. */
  confirm(question: string): Promise<boolean>;
  /** A line for the person. */
  say(line: string): void;
}

/** Parameters of a call: texts, numbers and booleans; undefined ones are left out; lists repeat the name. */
export type CallParams = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** Renew a ticket when it is older, in seconds. */
const RENEW_AFTER = 15 * 60;

/** An authenticated server. */
export class Server {
  readonly repository: Repository;
  readonly #prompts: Prompts;
  readonly #http: HttpClient;
  #ticket?: { ticket: string; token: string; timestamp: number };
  #secret?: string;
  /** Fingerprint that a person accepted just now: further connections do not ask again. */
  #accepted?: string;

  private constructor(repository: Repository, prompts: Prompts) {
    this.repository = repository;
    this.#prompts = prompts;
    this.#http = new HttpClient(this.#address({}));
  }

  /** Logs in with the secret of a token, a kept ticket or the password. Throws {@link DozoError} when the server refuses. */
  static async login(repository: Repository, prompts: Prompts, options: { fresh?: boolean } = {}): Promise<Server> {
    const server = new Server(repository, prompts);
    if (repository.authId.includes("!")) {
      server.#secret = await server.#askSecret();
    } else if (options.fresh || !await server.#useKeptTicket()) {
      await server.#requestTicket(await server.#askSecret());
    }
    countRepository(formatRepository(repository));
    return server;
  }

  /** Ends the connection for REST calls; a later call opens a new one. */
  close(): void {
    this.#http.close();
  }

  /** Forgets the kept ticket. Throws where there can be none. */
  static logout(repository: Repository): void {
    if (!dropTicket(repository, now())) throw new DozoError("$XDG_RUNTIME_DIR must be set");
  }

  /** Address and credentials for a protocol session, with a ticket that has not grown old. */
  async address(): Promise<ServerAddress> {
    await this.#renew();
    return this.#address(this.#credentials());
  }

  /** A call with query parameters; the `data` of the answer. Throws {@link DozoError} with status and text of the server. */
  async get<T>(path: string, params: CallParams = {}): Promise<T> {
    return await this.#call<T>("GET", path + query(params));
  }

  /** A deleting call with query parameters. */
  async delete<T>(path: string, params: CallParams = {}): Promise<T> {
    return await this.#call<T>("DELETE", path + query(params));
  }

  /** A creating call with a JSON body. */
  async post<T>(path: string, params: CallParams = {}): Promise<T> {
    return await this.#call<T>("POST", path, params);
  }

  /** A changing call with a JSON body. */
  async put<T>(path: string, params: CallParams = {}): Promise<T> {
    return await this.#call<T>("PUT", path, params);
  }

  /** Sends raw bytes with query parameters. */
  async upload<T>(path: string, params: CallParams, body: Uint8Array): Promise<T> {
    await this.#renew();
    const headers = { ...this.#credentials(), "Content-Type": "application/octet-stream" };
    const target = `/api2/json/${path}${query(params)}`;
    return dataOf<T>(await this.#http.request("POST", target, { headers, body }));
  }

  /** Raw bytes of an answer, at most `limit`. */
  async download(path: string, params: CallParams, limit: number): Promise<Uint8Array> {
    await this.#renew();
    const target = `/api2/json/${path}${query(params)}`;
    const answer = await this.#http.request("GET", target, { headers: this.#credentials(), limit });
    if (answer.status !== 200) throw refusal(answer);
    return answer.body;
  }

  async #call<T>(method: string, path: string, params?: CallParams): Promise<T> {
    await this.#renew();
    const headers: Record<string, string> = { ...this.#credentials() };
    let body: Uint8Array | undefined;
    if (params) {
      headers["Content-Type"] = "application/json";
      body = new TextEncoder().encode(JSON.stringify(params));
    }
    return dataOf<T>(await this.#http.request(method, `/api2/json/${path}`, { headers, body }));
  }

  #credentials(): Record<string, string> {
    if (this.#secret !== undefined) {
      return { Authorization: `PBSAPIToken ${this.repository.authId}:${encodeURIComponent(this.#secret)}` };
    }
    const { ticket, token } = this.#ticket as { ticket: string; token: string };
    return { Cookie: `PBSAuthCookie=${encodeURIComponent(ticket)}`, CSRFPreventionToken: token };
  }

  #address(headers: Record<string, string>): ServerAddress {
    const { server: host, port } = this.repository;
    const proxy = parseProxy(Deno.env.get("ALL_PROXY"));
    return { host, port, proxy, headers, checkCertificate: (certificate) => this.#checkCertificate(certificate) };
  }

  /** PBS_FINGERPRINT, then the certificates accepted earlier, then a person decide; a trusted CA needs none of them. */
  async #checkCertificate(certificate: ServerCertificate): Promise<void> {
    if (certificate.trusted) return;
    const { server } = this.repository;
    const expected = Deno.env.get("PBS_FINGERPRINT") || readCredential("proxmox-backup-client.fingerprint");
    const known = expected?.trim().toLowerCase() || loadFingerprint(server);
    const { fingerprint } = certificate;
    if (known === fingerprint || this.#accepted === fingerprint) return;
    if (known) {
      this.#prompts.say(`WARNING: certificate fingerprint does not match expected fingerprint!`);
      this.#prompts.say(`WARNING: expected:    ${known}`);
    }
    if (!expected && this.#prompts.interactive) {
      this.#prompts.say(`fingerprint: ${fingerprint}`);
      if (await this.#prompts.confirm("Are you sure you want to continue connecting? (y/n): ")) {
        this.#accepted = fingerprint;
        storeFingerprint(server, fingerprint);
        return;
      }
    }
    throw new DozoError(
      `certificate validation failed - the certificate of '${server}' is not trusted (fingerprint ${fingerprint}): ` +
        "compare it with the server's and set PBS_FINGERPRINT to accept it",
    );
  }

  async #askSecret(): Promise<string> {
    const secret = secretFromEnvironment(LOGIN_PASSWORD);
    if (secret !== undefined) return secret;
    if (!this.#prompts.interactive) throw new DozoError("no password input mechanism available");
    return await this.#prompts.password(`Password for "${this.repository.authId}": `);
  }

  /** A kept ticket is renewed by showing it; the server forgetting its key only costs a login. */
  async #useKeptTicket(): Promise<boolean> {
    const kept = loadTicket(this.repository, now());
    if (!kept) return false;
    try {
      await this.#requestTicket(kept.ticket);
      return true;
    } catch (error) {
      if (error instanceof DozoError && error.status === 401) return false;
      throw error;
    }
  }

  async #requestTicket(password: string): Promise<void> {
    const { authId } = this.repository;
    const data = await this.#ticketCall({ username: authId, password });
    this.#ticket = { ticket: data.ticket, token: data.CSRFPreventionToken, timestamp: now() };
    if (data.ticket.startsWith("PBS:!tfa!")) await this.#answerChallenge(data.ticket);
    storeTicket(this.repository, this.#ticket, now());
  }

  /** Second step of a login with a second factor: the typed answer goes back together with the partial ticket. */
  async #answerChallenge(challenge: string): Promise<void> {
    const { authId } = this.repository;
    if (!this.#prompts.interactive) {
      throw new DozoError(`'${authId}' has a second factor, which needs a terminal: use an API token for scripts`);
    }
    const code = await this.#prompts.password("Second factor (TOTP or recovery code): ");
    const kind = /^\d{6,8}$/.test(code) ? "totp" : "recovery";
    const password = `${kind}:${code}`;
    const data = await this.#ticketCall({ username: authId, password, "tfa-challenge": challenge });
    this.#ticket = { ticket: data.ticket, token: data.CSRFPreventionToken, timestamp: now() };
  }

  async #ticketCall(request: Readonly<Record<string, string>>) {
    const body = new TextEncoder().encode(JSON.stringify(request));
    const headers = { "Content-Type": "application/json" };
    const answer = await this.#http.request("POST", "/api2/json/access/ticket", { headers, body });
    return dataOf<{ ticket: string; CSRFPreventionToken: string }>(answer);
  }

  async #renew(): Promise<void> {
    const ticket = this.#ticket;
    if (ticket && now() - ticket.timestamp > RENEW_AFTER) await this.#requestTicket(ticket.ticket);
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

function query(params: CallParams): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

function refusal(answer: HttpAnswer): DozoError {
  const text = new TextDecoder().decode(answer.body).trim();
  return new DozoError(text || `the server answered with status ${answer.status}`, { status: answer.status });
}

function dataOf<T>(answer: HttpAnswer): T {
  if (answer.status < 200 || answer.status > 299) throw refusal(answer);
  try {
    return (JSON.parse(new TextDecoder().decode(answer.body)) as { data: T }).data;
  } catch (error) {
    throw new DozoError("the server's answer is not JSON", { cause: error });
  }
}
