/** `key …`: encryption keys, master keys, paper keys (rows CL-100 … CL-114). */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { DozoError, errorMessage } from "../../base/errors.ts";
import { decodeBlob } from "../../formats/blob.ts";
import { formatFingerprint } from "../../formats/crypt_key.ts";
import {
  formatKeyFile,
  generateKey,
  type KdfName,
  kdfName,
  type KeyFile,
  MIN_PASSPHRASE_LENGTH,
  openKeyFile,
  parseKeyFile,
  protectKey,
} from "../../formats/key_file.ts";
import { paperKeyHtml, paperKeyText } from "../../formats/paper_key.ts";
import { createMasterKey, masterKeyInfo, unwrapKey } from "../../formats/rsa_key.ts";
import { formatRfc3339 } from "../../formats/rfc3339.ts";
import { choice, text } from "../../config/schema/mod.ts";
import { defaultKeyPath, defaultMasterKeyPath } from "../../client/key_choice.ts";
import { ENCRYPTION_PASSWORD, secretFromEnvironment } from "../../client/secrets.ts";
import { createNewFile, replaceFile } from "../../client/secret_file.ts";
import { command } from "../framework/command.ts";
import { printError, printOut } from "../framework/print.ts";
import { outputFormat, printObject } from "../output/format.ts";
import { localOffset } from "../output/render.ts";
import { newPassword, terminalPrompts } from "../terminal.ts";

const kdfParam = {
  kdf: choice(["none", "scrypt", "pbkdf2"]).default("scrypt").meta({
    description: "How the password becomes a key; none for a key without password.",
  }),
};
const hintParam = {
  hint: text({ min: 1, max: 64, pattern: /^\P{Cc}*$/u, description: "Password hint, shown when it is wrong." })
    .optional(),
};
const pathParam = { path: text({ description: "Key file. Without path the default location is used." }).optional() };

function keyPath(given: string | undefined): string {
  const path = given ?? defaultKeyPath();
  if (!path) throw new DozoError("no default key location: give a path, or set HOME or XDG_CONFIG_HOME");
  return path;
}

function readKeyFile(path: string): KeyFile {
  try {
    return parseKeyFile(readFileSync(path));
  } catch (error) {
    throw new DozoError(`unable to read the key '${path}': ${errorMessage(error)}`, { cause: error });
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** Refused before a password is asked for. */
function checkHint(kdf: KdfName, hint: string | undefined): void {
  if (kdf === "none" && hint !== undefined) throw new DozoError("password hint not allowed for Kdf::None");
}

async function askNewPassword(kdf: KdfName, title: string): Promise<string | undefined> {
  if (kdf === "none") return undefined;
  return await newPassword(title, MIN_PASSPHRASE_LENGTH);
}

async function askOldPassword(question: string): Promise<string> {
  return secretFromEnvironment(ENCRYPTION_PASSWORD) ?? await terminalPrompts().password(question);
}

const create = command({
  path: "key create",
  summary: "Create a new encryption key.",
  positional: ["path"],
  params: z.object({ ...pathParam, ...kdfParam, ...hintParam }),
  async run({ path, kdf, hint }) {
    checkHint(kdf, hint);
    const target = keyPath(path);
    const key = generateKey();
    const passphrase = await askNewPassword(kdf, "Encryption Key Password: ");
    const file = await protectKey(key, { kdf, passphrase, hint, created: now(), modified: now() });
    createNewFile(target, formatKeyFile(file, localOffset));
    printError(`Key fingerprint: ${formatFingerprint(key.fingerprint).slice(0, 23)}\n`);
    printError("Keep a copy of this key in a safe place: without it the backups made with it are lost.\n");
  },
});

const show = command({
  path: "key show",
  summary: "Print the encryption key's metadata.",
  positional: ["path"],
  params: z.object({ ...pathParam, "output-format": outputFormat() }),
  run(params) {
    const path = keyPath(params.path);
    const file = readKeyFile(path);
    printObject(
      params["output-format"],
      {
        path: JSON.stringify(path),
        kdf: kdfName(file),
        created: file.created,
        modified: file.modified,
        fingerprint: file.fingerprint && formatFingerprint(file.fingerprint),
        hint: file.hint,
      },
      ["path", "kdf", "created", "modified", "fingerprint", "hint"],
      {
        created: (value) => formatRfc3339(Number(value), localOffset(Number(value))),
        modified: (value) => formatRfc3339(Number(value), localOffset(Number(value))),
      },
    );
  },
});

const changePassphrase = command({
  path: "key change-passphrase",
  summary: "Change the encryption key's password.",
  positional: ["path"],
  params: z.object({ ...pathParam, ...kdfParam, ...hintParam }),
  async run({ path, kdf, hint }) {
    checkHint(kdf, hint);
    const target = keyPath(path);
    const file = readKeyFile(target);
    const key = await openKeyFile(file, () => askOldPassword("Encryption Key Password: "));
    const passphrase = await askNewPassword(kdf, "New Password: ");
    const changed = await protectKey(key, { kdf, passphrase, hint, created: file.created, modified: now() });
    replaceFile(target, formatKeyFile(changed, localOffset));
  },
});

const createMaster = command({
  path: "key create-master-key",
  summary:
    "Create an RSA public/private key pair used to put an encrypted version of the symmetric backup encryption " +
    "key onto the backup server along with each backup.",
  params: z.object({}),
  async run() {
    const privatePath = "master-private.pem";
    const publicPath = "master-public.pem";
    const passphrase = await newPassword("Master Key Password: ", MIN_PASSPHRASE_LENGTH);
    printError("Generating RSA key of 4096 bits ..\n");
    const pair = await createMasterKey(passphrase);
    createNewFile(privatePath, pair.privatePem);
    printError(`Writing private master key to ${privatePath}\n`);
    createNewFile(publicPath, pair.publicPem);
    printError(`Writing public master key to ${publicPath}\n`);
  },
});

const importMasterPubkey = command({
  path: "key import-master-pubkey",
  summary:
    "Import an RSA public key used to put an encrypted version of the symmetric backup encryption key onto the " +
    "backup server along with each backup.",
  positional: ["path"],
  params: z.object({ path: text({ description: "Path to the PEM formatted RSA public key." }) }),
  run({ path }) {
    const pem = readText(path);
    const info = masterKeyInfo(pem);
    const target = defaultMasterKeyPath();
    if (!target) throw new DozoError("no place for the master key: set HOME or XDG_CONFIG_HOME");
    replaceFile(target, pem);
    printObject("text", { path: JSON.stringify(path), ...info }, ["path", "modulus", "exponent", "length"]);
    printError(`Imported public master key to ${JSON.stringify(target)}\n`);
  },
});

const showMasterPubkey = command({
  path: "key show-master-pubkey",
  summary: "List information about the RSA public key.",
  positional: ["path"],
  params: z.object({
    path: text({ description: "Path to the PEM formatted RSA public key. Default location will be used if not set." })
      .optional(),
    "output-format": outputFormat(),
  }),
  run(params) {
    const path = params.path ?? defaultMasterKeyPath();
    if (!path) throw new DozoError("no default master key location: give a path");
    const object = { path: JSON.stringify(path), ...masterKeyInfo(readText(path)) };
    printObject(params["output-format"], object, ["path", "modulus", "exponent", "length"]);
  },
});

const importWithMasterKey = command({
  path: "key import-with-master-key",
  summary: "Import an encrypted backup of an encryption key using a (private) master key.",
  positional: ["path"],
  params: z.object({
    ...pathParam,
    ...kdfParam,
    ...hintParam,
    "master-keyfile": text({ description: "(Private) master key to use." }),
    "encrypted-keyfile": text({ description: "RSA-encrypted keyfile to import." }),
  }),
  async run(params) {
    const { kdf, hint } = params;
    checkHint(kdf, hint);
    const target = keyPath(params.path);
    const pem = readText(params["master-keyfile"]);
    const encrypted = await unwrapBlob(readBytes(params["encrypted-keyfile"]));
    const master = await askOldPassword("Master Key Password: ");
    const file = unwrapKey(pem, master, encrypted);
    const key = await openKeyFile(file, () => "");
    const passphrase = await askNewPassword(kdf, "Encryption Key Password: ");
    const imported = await protectKey(key, { kdf, passphrase, hint, created: file.created, modified: now() });
    const content = formatKeyFile(imported, localOffset);
    // The manual's example restores the wrapped key to the path of the new key, which then is replaced.
    if (params.path !== undefined && params.path === params["encrypted-keyfile"]) replaceFile(target, content);
    else createNewFile(target, content);
  },
});

const paperkey = command({
  path: "key paperkey",
  summary: "Generate a printable, human readable text file containing the encryption key.",
  positional: ["path"],
  params: z.object({
    ...pathParam,
    subject: text({ description: "Include the specified subject as title text." }).optional(),
    "output-format": choice(["text", "html"]).optional(),
  }),
  run(params) {
    const content = readText(keyPath(params.path));
    const print = params["output-format"] === "text" ? paperKeyText : paperKeyHtml;
    printOut(print(content, { subject: params.subject, utcOffset: localOffset }));
  },
});

/** The wrapped key may be the bare ciphertext (restored) or still in its blob envelope. */
async function unwrapBlob(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await decodeBlob(bytes);
  } catch {
    return bytes;
  }
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new DozoError(`unable to read '${path}': ${errorMessage(error)}`, { cause: error });
  }
}

function readText(path: string): string {
  return new TextDecoder().decode(readBytes(path));
}

/** All `key` commands. */
export const keyCommands = [
  create,
  show,
  changePassphrase,
  createMaster,
  importMasterPubkey,
  showMasterPubkey,
  importWithMasterKey,
  paperkey,
];
