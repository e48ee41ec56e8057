/** Opens the encryption key that options and defaults name, and tells the person about it. */
import { formatFingerprint } from "../../formats/crypt_key.ts";
import type { CryptMode } from "../../formats/manifest.ts";
import { chooseKey, type KeyOptions, type OpenedKey, openKey } from "../../client/key_choice.ts";
import { ENCRYPTION_PASSWORD, secretFromEnvironment } from "../../client/secrets.ts";
import { askPassword } from "../terminal.ts";

/** Key and mode of a command, with the lines that say so. */
export interface Encryption {
  readonly mode: CryptMode;
  readonly key?: OpenedKey;
  /** PEM text of the public master key. */
  readonly masterKey?: string;
  readonly notes: readonly string[];
}

/** Chooses and opens the key; its passphrase comes from the environment or the terminal. Throws DozoError. */
export async function openEncryption(options: KeyOptions): Promise<Encryption> {
  const { mode, key: source, masterKey, notes } = chooseKey(options);
  if (!source) return { mode, masterKey, notes };
  const key = await openKey(source, encryptionPassphrase);
  const fingerprint = `Encryption key fingerprint: ${formatFingerprint(key.key.fingerprint).slice(0, 23)}`;
  const [first, ...rest] = notes;
  return { mode, key, masterKey, notes: [first, fingerprint, ...rest] };
}

/** Passphrase of a protected key file. */
export async function encryptionPassphrase(): Promise<string> {
  return secretFromEnvironment(ENCRYPTION_PASSWORD) ?? await askPassword("Encryption Key Password: ");
}
