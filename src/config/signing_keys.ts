/** Keys that sign login tickets and CSRF tokens; made at first start (`spec/auth.md` §4.3 and §5). */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { join } from "node:path";
import { DozoError, errorMessage } from "../base/errors.ts";
import { replaceFile } from "./atomic_file.ts";
import { withFileLock } from "./file_lock.ts";

/** The keys of one installation. */
export interface SigningKeys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** HMAC key of CSRF tokens. */
  readonly csrfKey: Uint8Array;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new DozoError(`unable to read '${path}': ${errorMessage(error)}`, { cause: error });
  }
}

/** Reads the keys in `directory` and creates the missing ones. Several processes may do so at once. */
export function loadSigningKeys(directory: string): Promise<SigningKeys> {
  return withFileLock(join(directory, ".authkey.lck"), async () => {
    const keyPath = join(directory, "authkey.key");
    const csrfPath = join(directory, "csrf.key");
    if (await readText(keyPath) === undefined) {
      const pair = generateKeyPairSync("ed25519");
      await replaceFile(keyPath, pair.privateKey.export({ type: "pkcs8", format: "pem" }), 0o600);
      const publicPem = pair.publicKey.export({ type: "spki", format: "pem" });
      await replaceFile(join(directory, "authkey.pub"), publicPem, 0o640);
    }
    if (await readText(csrfPath) === undefined) {
      await replaceFile(csrfPath, randomBytes(64).toString("base64").replaceAll("=", ""), 0o640);
    }
    try {
      const privateKey = createPrivateKey(await readText(keyPath) ?? "");
      return {
        privateKey,
        publicKey: createPublicKey(privateKey.export({ type: "pkcs8", format: "pem" })),
        csrfKey: new Uint8Array(atob((await readText(csrfPath) ?? "").trim()).split("").map((c) => c.charCodeAt(0))),
      };
    } catch (error) {
      throw new DozoError(
        `unable to use the keys in '${directory}' (authkey.key, csrf.key): ${
          errorMessage(error)
        }; remove them to have new ones made`,
        { cause: error },
      );
    }
  });
}
