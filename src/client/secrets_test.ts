import assert from "node:assert/strict";
import { openSync, writeFileSync } from "node:fs";
import { LOGIN_PASSWORD, secretFromEnvironment, splitWords } from "./secrets.ts";

function withEnv(values: Record<string, string>, work: () => void): void {
  for (const [name, value] of Object.entries(values)) Deno.env.set(name, value);
  try {
    work();
  } finally {
    for (const name of Object.keys(values)) Deno.env.delete(name);
  }
}

Deno.test("CL-22 the first defined source wins in the order plain, FD, FILE, CMD", () => {
  const directory = Deno.makeTempDirSync();
  const file = `${directory}/secret`;
  writeFileSync(file, "from file\n");
  writeFileSync(`${directory}/fd`, "from fd");
  const all = {
    PBS_PASSWORD_FILE: file,
    PBS_PASSWORD_CMD: "echo 'from cmd'",
  };
  withEnv({ PBS_PASSWORD_CMD: all.PBS_PASSWORD_CMD }, () => {
    assert.equal(secretFromEnvironment(LOGIN_PASSWORD), "from cmd");
  });
  withEnv(all, () => assert.equal(secretFromEnvironment(LOGIN_PASSWORD), "from file"));
  withEnv({ ...all, PBS_PASSWORD_FD: String(openSync(`${directory}/fd`, "r")) }, () => {
    assert.equal(secretFromEnvironment(LOGIN_PASSWORD), "from fd");
  });
  withEnv({ ...all, PBS_PASSWORD: "plain" }, () => assert.equal(secretFromEnvironment(LOGIN_PASSWORD), "plain"));
  assert.equal(secretFromEnvironment(LOGIN_PASSWORD), undefined);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("CL-27 only the first line counts and it must be UTF-8", () => {
  const file = Deno.makeTempFileSync();
  writeFileSync(file, "secret\n# a comment\n");
  withEnv({ PBS_PASSWORD_FILE: file }, () => assert.equal(secretFromEnvironment(LOGIN_PASSWORD), "secret"));
  writeFileSync(file, new Uint8Array([0xff, 0xfe, 0x0a]));
  withEnv({ PBS_PASSWORD_FILE: file }, () => assert.throws(() => secretFromEnvironment(LOGIN_PASSWORD), /UTF-8/));
  Deno.removeSync(file);
  withEnv({ PBS_PASSWORD_FILE: file }, () => {
    assert.throws(() => secretFromEnvironment(LOGIN_PASSWORD), /PBS_PASSWORD_FILE/);
  });
});

Deno.test("CL-28 a systemd credential is used when no variable is set", () => {
  const directory = Deno.makeTempDirSync();
  writeFileSync(`${directory}/${LOGIN_PASSWORD.credential}`, "credential\n");
  withEnv({ CREDENTIALS_DIRECTORY: directory }, () => {
    assert.equal(secretFromEnvironment(LOGIN_PASSWORD), "credential");
  });
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("command lines are split into words without expansion", () => {
  assert.deepEqual(splitWords(`a 'b c' "d\\"e" f\\ g $HOME ""`), ["a", "b c", 'd"e', "f g", "$HOME", ""]);
  assert.throws(() => splitWords("'open"), /quote/);
});
