import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { createDirectories, stateDirectories } from "../config/directories.ts";
import type { UserFactors } from "../config/second_factors.ts";
import { ServerConfig } from "../config/server_config.ts";
import { challengeFor, checkResponse } from "./second_factor.ts";
import { parseTotp, totpCode, totpStep } from "./totp.ts";

const URI = "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=6&algorithm=SHA1&period=30";

Deno.test("codes are those of RFC 6238", () => {
  const seed = "1234567890".repeat(7);
  const cases: ["sha1" | "sha256" | "sha512", number, number, string][] = [
    ["sha1", 20, 59, "94287082"],
    ["sha256", 32, 59, "46119246"],
    ["sha512", 64, 59, "90693936"],
    ["sha1", 20, 20000000000, "65353130"],
    ["sha512", 64, 1111111109, "25091201"],
  ];
  for (const [algorithm, length, time, code] of cases) {
    const totp = { secret: Buffer.from(seed.slice(0, length)), algorithm, digits: 8, period: 30 };
    assert.equal(totpCode(totp, Math.floor(time / 30)), code);
  }
});

Deno.test("a code is good for its period and the ones beside it", () => {
  const totp = parseTotp(URI);
  const code = totpCode(totp, 100);
  for (
    const [now, step] of [[3000, 100], [3029, 100], [2999, 100], [3059, 100], [2969, undefined], [3060, undefined]]
  ) {
    assert.equal(totpStep(totp, code, Number(now)), step, String(now));
  }
  assert.equal(totpStep(totp, "", 3000), undefined);
  for (
    const bad of ["", "otpauth://hotp/x?secret=AA", "otpauth://totp/x?secret=1&digits=6", "otpauth://totp/x?digits=40"]
  ) {
    assert.throws(() => parseTotp(bad), bad);
  }
});

async function withUser(
  factors: UserFactors,
  work: (config: ServerConfig, run: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "dozo-tfa-" });
  try {
    const directories = stateDirectories(root);
    await createDirectories(directories);
    await Deno.writeTextFile(
      join(directories.etc, "tfa.json"),
      JSON.stringify({ webauthn: { id: "x" }, users: { "a@pbs": factors } }),
    );
    await work(new ServerConfig(directories, () => true), directories.run);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("eight wrong codes lock the code generators until a recovery key is used", () =>
  withUser({
    totp: [{ entry: URI }],
    recovery: { secret: "00", entries: [createHmac("sha256", "00").update("key-1").digest("hex"), null] },
  }, async (config, run) => {
    const check = (response: string, now = 3000) => checkResponse(config.secondFactors, "a@pbs", response, now, run);
    const challenge = () => challengeFor(config.secondFactors.read().value, "a@pbs");
    assert.equal(challenge(), '{"totp":true,"recovery":[0]}');
    const good = totpCode(parseTotp(URI), 100);
    await check(`totp:${good}`);
    await assert.rejects(check(`totp:${good}`), /wrong response/, "a code is good once");
    const wrong = good === "000000" ? "000001" : "000000";
    for (let i = 0; i < 7; i++) await assert.rejects(check(`totp:${wrong}`), /wrong response/);
    assert.equal(challenge(), '{"recovery":[0]}', "locked");
    await assert.rejects(check(`totp:${totpCode(parseTotp(URI), 200)}`, 6000), /wrong response/);
    await assert.rejects(check("recovery:no-such-key"), /wrong response/);
    await check("recovery:key-1");
    assert.equal(challenge(), '{"totp":true}', "unlocked, and the key is used up");
    await assert.rejects(check("recovery:key-1"), /wrong response/);
    await check(`totp:${totpCode(parseTotp(URI), 200)}`, 6000);
  }));

Deno.test("a user with only a kind that cannot be checked is refused, not let in", () =>
  withUser({ webauthn: [{ id: "1" }] }, async (config) => {
    const file = config.secondFactors.read().value;
    assert.throws(() => challengeFor(file, "a@pbs"), /cannot check/);
    assert.equal(challengeFor(file, "b@pbs"), undefined);
    await Deno.writeTextFile(config.secondFactors.path, "{broken");
    assert.throws(() => config.secondFactors.read(), /tfa\.json/);
  }));
