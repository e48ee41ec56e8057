/** Tickets of earlier logins, per server and user, so that a password is asked once in two hours (rows CL-170, CL-171). */
import { replaceFile } from "./secret_file.ts";
import { readStateFile, runtimePath } from "./state_files.ts";
import type { Repository } from "./repository.ts";

/** A login's result: the cookie value and the token for changing requests. `timestamp` in Unix seconds. */
export interface StoredTicket {
  readonly ticket: string;
  readonly token: string;
  readonly timestamp: number;
}

/** Life of a ticket in seconds, less a minute for the way (`spec/auth.md` §16). */
const USABLE_SECONDS = 2 * 3600 - 60;

type TicketFile = Record<string, Record<string, StoredTicket>>;

/** The ticket for this server and user, if it is still good for a minute. */
export function loadTicket(repository: Repository, now: number): StoredTicket | undefined {
  const stored = readTickets(now)[serverKey(repository)]?.[repository.authId];
  return stored && isFresh(stored, now) ? stored : undefined;
}

/** Keeps a ticket; without `$XDG_RUNTIME_DIR` nothing is kept. Expired ones are dropped on the way. */
export function storeTicket(repository: Repository, ticket: StoredTicket, now: number): void {
  const path = runtimePath("tickets");
  if (!path) return;
  const tickets = readTickets(now);
  (tickets[serverKey(repository)] ??= {})[repository.authId] = ticket;
  replaceFile(path, JSON.stringify(tickets));
}

/** Forgets the ticket of this server and user; false when there is no place where one could be. */
export function dropTicket(repository: Repository, now: number): boolean {
  const path = runtimePath("tickets");
  if (!path) return false;
  const tickets = readTickets(now);
  delete tickets[serverKey(repository)]?.[repository.authId];
  replaceFile(path, JSON.stringify(tickets));
  return true;
}

function serverKey(repository: Repository): string {
  return repository.port === 8007 ? repository.server : `${repository.server}:${repository.port}`;
}

function isFresh(ticket: StoredTicket, now: number): boolean {
  const age = now - ticket.timestamp;
  return age >= 0 && age < USABLE_SECONDS;
}

/** A damaged file only costs a new login, so it is read as empty. */
function readTickets(now: number): TicketFile {
  const path = runtimePath("tickets");
  if (!path) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(readStateFile(path));
  } catch {
    return {};
  }
  const result: TicketFile = {};
  for (const [server, users] of objectEntries(parsed)) {
    for (const [user, stored] of objectEntries(users)) {
      const entry = stored as Partial<StoredTicket>;
      if (typeof entry?.ticket !== "string" || typeof entry.token !== "string") continue;
      if (typeof entry.timestamp !== "number") continue;
      const ticket = { ticket: entry.ticket, token: entry.token, timestamp: entry.timestamp };
      if (isFresh(ticket, now)) (result[server] ??= {})[user] = ticket;
    }
  }
  return result;
}

function objectEntries(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
