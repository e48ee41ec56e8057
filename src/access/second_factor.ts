/** The second step of a login: challenge and response (`spec/auth.md` §9). */
import { createHmac } from "node:crypto";
import { dirname, join } from "node:path";
import { DozoError } from "../base/errors.ts";
import type { ConfigFile } from "../config/config_file.ts";
import { factorsOf, type SecondFactorFile, type UserFactors } from "../config/second_factors.ts";
import { parseTotp, totpStep } from "./totp.ts";

/** Wrong codes in a row that lock the code generators, and wrong responses that lock every second factor for an hour. */
const LIMITS = { totp: 8, all: 100, lockSeconds: 3600 } as const;
/** Members of a user's factors that hold no factor. */
const STATE_MEMBERS = new Set(["totp-locked", "tfa-locked-until"]);

interface Failures {
  totp: number;
  all: number;
}

function isEnabled(entry: unknown): boolean {
  return typeof entry === "object" && entry !== null && (entry as { enable?: unknown }).enable !== false;
}

function unusedKeys(factors: UserFactors): number[] {
  return (factors.recovery?.entries ?? []).flatMap((entry, index) => entry === null ? [] : [index]);
}

/** Whether any factor of the user is set, of whatever kind. */
function hasAny(factors: UserFactors): boolean {
  if (unusedKeys(factors).length > 0) return true;
  return Object.entries(factors).some(([kind, entries]) =>
    !STATE_MEMBERS.has(kind) && kind !== "recovery" && Array.isArray(entries) && entries.some(isEnabled)
  );
}

/**
 * The challenge for a user as JSON text, undefined when no second factor is set. Throws {@link DozoError} when the user
 * has only kinds that this version cannot check: nobody gets in without a factor that is set.
 */
export function challengeFor(file: SecondFactorFile, userid: string): string | undefined {
  const factors = factorsOf(file, userid);
  if (!factors || !hasAny(factors)) return undefined;
  const totp = factors["totp-locked"] !== true && (factors.totp ?? []).some(isEnabled);
  const recovery = unusedKeys(factors);
  if (!totp && recovery.length === 0) {
    throw new DozoError("the user's second factor is locked or of a kind that this version cannot check");
  }
  return JSON.stringify({ ...(totp ? { totp } : {}), ...(recovery.length > 0 ? { recovery } : {}) });
}

function checkTotp(factors: UserFactors, code: string, now: number): boolean {
  if (factors["totp-locked"] === true) return false;
  for (const one of (factors.totp ?? []).filter(isEnabled)) {
    const { totp: uri, "last-count": last = -1 } = typeof one.entry === "string" ? { totp: one.entry } : one.entry;
    const step = totpStep(parseTotp(uri), code, now);
    // A code is good once, and none that is older than an accepted one.
    if (step === undefined || step <= last) continue;
    one.entry = { totp: uri, "last-count": step };
    return true;
  }
  return false;
}

function checkRecovery(factors: UserFactors, key: string): boolean {
  if (!factors.recovery) return false;
  const digest = createHmac("sha256", factors.recovery.secret).update(key).digest("hex");
  const index = factors.recovery.entries.indexOf(digest);
  if (index < 0) return false;
  factors.recovery.entries[index] = null;
  return true;
}

/** Counters of one user in the run directory, shared by all processes; read and written under the lock of `tfa.json`. */
class FailureCounter {
  readonly #path: string;

  constructor(runDirectory: string, userid: string) {
    this.#path = join(runDirectory, "tfa", "challenges", userid);
  }

  read(): Failures {
    try {
      const { totp_failures: totp, tfa_failures: all } = JSON.parse(Deno.readTextFileSync(this.#path));
      return { totp: Number(totp) || 0, all: Number(all) || 0 };
    } catch {
      return { totp: 0, all: 0 };
    }
  }

  write({ totp, all }: Failures): void {
    Deno.mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    Deno.writeTextFileSync(this.#path, JSON.stringify({ totp_failures: totp, tfa_failures: all }), { mode: 0o600 });
  }

  reset(): void {
    try {
      Deno.removeSync(this.#path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Counts a failure and locks what has failed too often. Returns whether something was locked. */
function noteFailure(factors: UserFactors, counter: FailureCounter, wasTotp: boolean, now: number): boolean {
  const count = counter.read();
  count.all++;
  if (wasTotp) count.totp++;
  const lockTotp = wasTotp && count.totp >= LIMITS.totp && factors["totp-locked"] !== true;
  if (lockTotp) factors["totp-locked"] = true;
  const lockAll = count.all >= LIMITS.all;
  if (lockAll) {
    factors["tfa-locked-until"] = Math.floor(now) + LIMITS.lockSeconds;
    count.all = 0;
  }
  counter.write(count);
  return lockTotp || lockAll;
}

/**
 * Checks the response to a challenge (`totp:CODE` or `recovery:KEY`) and stores what it uses up. A recovery key unlocks the
 * code generators. Failures are counted in `runDirectory`. Throws {@link DozoError} with the reason, which is for the log only.
 */
export async function checkResponse(
  config: ConfigFile<SecondFactorFile>,
  userid: string,
  response: string,
  now: number,
  runDirectory: string,
): Promise<void> {
  const counter = new FailureCounter(runDirectory, userid);
  let reason: string | undefined;
  await config.update((file) => {
    const factors = factorsOf(file, userid);
    const [kind, value] = [response.slice(0, response.indexOf(":")), response.slice(response.indexOf(":") + 1)];
    if (!factors) reason = "the user has no second factor";
    else if ((factors["tfa-locked-until"] ?? 0) > now) reason = "the second factor is locked after too many failures";
    else if (kind === "totp" ? checkTotp(factors, value, now) : kind === "recovery" && checkRecovery(factors, value)) {
      counter.reset();
      if (kind === "recovery") delete factors["totp-locked"];
      delete factors["tfa-locked-until"];
      return file;
    } else {
      reason = `wrong response of kind '${kind.slice(0, 20)}'`;
      if (noteFailure(factors, counter, kind === "totp", now)) return file;
    }
  });
  if (reason !== undefined) throw new DozoError(reason);
}
