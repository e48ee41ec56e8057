/**
 * Which key and crypt mode a command uses: options, default key, default master key
 * (rows CL-103, CL-106, CL-108, CL-115).
 */
import { readFileSync } from "node:fs";
import { DozoError, errorMessage } from "../base/errors.ts";
import type { CryptKey } from "../formats/crypt_key.ts";
import { type KeyFile, openKeyFile, parseKeyFile, type PassphraseSource } from "../formats/key_file.ts";
import type { CryptMode } from "../formats/manifest.ts";
import { configPath } from "./state_files.ts";

/** The options that choose a key. */
export interface KeyOptions {
  readonly keyfile?: string;
  readonly keyfd?: number;
  readonly masterPubkeyFile?: string;
  readonly masterPubkeyFd?: number;
  /** Undefined when the user did not say. */
  readonly cryptMode?: CryptMode;
}

/** A key file's text and where it came from, for messages. */
export interface KeySource {
  readonly name: string;
  readonly text: Uint8Array;
}

/** The decision. Without `key` the mode is `none`. */
export interface KeyChoice {
  readonly mode: CryptMode;
  readonly key?: KeySource;
  /** PEM text of the public master key. */
  readonly masterKey?: string;
  /** Lines for the user. */
  readonly notes: readonly string[];
}

/** An opened key with the file that it came from. */
export interface OpenedKey {
  readonly key: CryptKey;
  readonly file: KeyFile;
}

const KEY_NAME = "encryption-key.json";
const MASTER_NAME = "master-public.pem";

/** Place of the default key; undefined without a home directory. */
export function defaultKeyPath(): string | undefined {
  return configPath(KEY_NAME);
}

/** Place of the default public master key; undefined without a home directory. */
export function defaultMasterKeyPath(): string | undefined {
  return configPath(MASTER_NAME);
}

/** Decides by the matrix of CL-115. Throws {@link DozoError} for combinations that make no sense. */
export function chooseKey(options: KeyOptions): KeyChoice {
  const { keyfile, keyfd, masterPubkeyFile, masterPubkeyFd, cryptMode } = options;
  const notes: string[] = [];
  const key = readOne("--keyfile", keyfile, "--keyfd", keyfd);
  const masterKey = readOne("--master-pubkey-file", masterPubkeyFile, "--master-pubkey-fd", masterPubkeyFd);

  if (cryptMode === "none") {
    if (key) throw new DozoError("--keyfile/--keyfd and --crypt-mode=none are mutually exclusive");
    if (masterKey) {
      throw new DozoError("--master-pubkey-file/--master-pubkey-fd and --crypt-mode=none are mutually exclusive");
    }
    return { mode: "none", notes };
  }
  const chosen = key ?? readDefault(KEY_NAME);
  if (!chosen) {
    if (cryptMode !== undefined) {
      throw new DozoError("--crypt-mode without --keyfile and no default key file available");
    }
    if (masterKey) throw new DozoError("--master-pubkey-file/--master-pubkey-fd specified, but no key available");
    return { mode: "none", notes };
  }
  notes.push(
    key ? `Using encryption key from '${chosen.name}'..` : `Using default encryption key from '${chosen.name}'..`,
  );
  const master = masterKey ?? readDefault(MASTER_NAME);
  if (master) notes.push(`Using ${masterKey ? "" : "default "}master key from '${master.name}'..`);
  return {
    mode: cryptMode ?? "encrypt",
    key: chosen,
    masterKey: master && new TextDecoder().decode(master.text),
    notes,
  };
}

/** Opens the chosen key; `passphrase` is asked only for a protected one. */
export async function openKey(source: KeySource, passphrase: PassphraseSource): Promise<OpenedKey> {
  let file: KeyFile;
  try {
    file = parseKeyFile(source.text);
  } catch (error) {
    throw new DozoError(`unable to read the key from '${source.name}': ${errorMessage(error)}`, { cause: error });
  }
  return { key: await openKeyFile(file, passphrase), file };
}

function readOne(pathOption: string, path: string | undefined, fdOption: string, fd: number | undefined) {
  if (path !== undefined && fd !== undefined) {
    throw new DozoError(`${pathOption} and ${fdOption} are mutually exclusive`);
  }
  if (path !== undefined) return { name: path, text: read(path, path) };
  if (fd !== undefined) return { name: `file descriptor ${fd}`, text: read(fd, `file descriptor ${fd}`) };
  return undefined;
}

function readDefault(name: string): KeySource | undefined {
  const path = configPath(name);
  if (!path) return undefined;
  try {
    return { name: path, text: readFileSync(path) };
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw new DozoError(`unable to read '${path}': ${errorMessage(error)}`, { cause: error });
  }
}

function read(from: string | number, name: string): Uint8Array {
  try {
    return readFileSync(from);
  } catch (error) {
    throw new DozoError(`unable to read '${name}': ${errorMessage(error)}`, { cause: error });
  }
}
