/** The server's certificate: read it, or make a self-signed one at first start (`spec/config-files.md` §26). */
import {
  createHash,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomUUID,
  sign,
  X509Certificate,
} from "node:crypto";
import { join } from "node:path";
import { DozoError, errorMessage } from "../base/errors.ts";
import { replaceFile } from "./atomic_file.ts";
import * as asn1 from "./der.ts";
import { withFileLock } from "./file_lock.ts";

/** Chain and key as PEM text, and what clients compare. */
export interface Certificate {
  readonly chain: string;
  readonly key: string;
  /** SHA-256 of the leaf as `aa:bb:…` in lower case. */
  readonly fingerprint: string;
}

const VALID_DAYS = 365_000;
const OID = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  organizationalUnit: "2.5.4.11",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

function nameOf(parts: readonly (readonly [string, string])[]): Uint8Array {
  return asn1.sequence(...parts.map(([id, value]) => asn1.set(asn1.sequence(asn1.oid(id), asn1.utf8(value)))));
}

function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return asn1.sequence(asn1.oid(id), ...(critical ? [asn1.boolean(true)] : []), asn1.octets(value));
}

/** A self-signed P-256 server certificate in DER for `names` (the first one is the subject) and the loopback addresses. */
export function selfSigned(
  names: readonly string[],
  keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  now: Date = new Date(),
): Uint8Array {
  const subject = nameOf([
    [OID.organization, "dozo"],
    [OID.organizationalUnit, randomUUID().replaceAll("-", "")],
    [OID.commonName, names[0].slice(0, 64)],
  ]);
  const algorithm = asn1.sequence(asn1.oid(OID.ecdsaWithSha256));
  const encoder = new TextEncoder();
  const loopback6 = new Uint8Array(16);
  loopback6[15] = 1;
  const altNames = asn1.sequence(
    asn1.der(0x87, Uint8Array.of(127, 0, 0, 1)),
    asn1.der(0x87, loopback6),
    ...[...new Set(["localhost", ...names])].map((name) => asn1.der(0x82, encoder.encode(name))),
  );
  const serial = Uint8Array.from(randomBytes(16));
  serial[0] = serial[0] & 0x7f | 0x40;
  const body = asn1.sequence(
    asn1.der(0xa0, asn1.integer(Uint8Array.of(2))),
    asn1.integer(serial),
    algorithm,
    subject,
    // A clock that lags a little must not make the new certificate look like one from the future.
    asn1.sequence(
      asn1.time(new Date(now.getTime() - 86_400_000)),
      asn1.time(new Date(now.getTime() + VALID_DAYS * 86_400_000)),
    ),
    subject,
    Uint8Array.from(keys.publicKey.export({ type: "spki", format: "der" })),
    asn1.der(
      0xa3,
      asn1.sequence(
        extension(OID.basicConstraints, true, asn1.sequence()),
        extension(OID.extendedKeyUsage, false, asn1.sequence(asn1.oid(OID.serverAuth))),
        extension(OID.subjectAltName, false, altNames),
      ),
    ),
  );
  return asn1.sequence(body, algorithm, asn1.bits(Uint8Array.from(sign("sha256", body, keys.privateKey))));
}

function pem(label: string, bytes: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...bytes)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The host names that a certificate of this machine should carry, the fully qualified one first when it is known. */
export function hostNames(): string[] {
  const name = Deno.hostname();
  return [...new Set([name, name.split(".")[0]])].filter((one) => /^[A-Za-z0-9.-]+$/.test(one)).concat("localhost");
}

/** Reads `proxy.pem` and `proxy.key` in `directory`, or makes them when both are missing. Throws {@link DozoError} when they do not work. */
export function loadCertificate(directory: string): Promise<Certificate> {
  const chainPath = join(directory, "proxy.pem");
  const keyPath = join(directory, "proxy.key");
  return withFileLock(join(directory, ".proxy.lck"), async () => {
    try {
      const present = async (path: string) => await Deno.stat(path).then(() => true, () => false);
      if (!(await present(chainPath)) && !(await present(keyPath))) {
        const keys = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
        await replaceFile(keyPath, keys.privateKey.export({ type: "pkcs8", format: "pem" }), 0o640);
        await replaceFile(chainPath, pem("CERTIFICATE", selfSigned(hostNames(), keys)), 0o640);
      }
      const [chain, key] = [await Deno.readTextFile(chainPath), await Deno.readTextFile(keyPath)];
      return { chain, key, fingerprint: fingerprintOf(chain) };
    } catch (error) {
      throw new DozoError(
        `unable to use the certificate '${chainPath}' with its key '${keyPath}': ${errorMessage(error)}`,
        {
          cause: error,
        },
      );
    }
  });
}

/** SHA-256 of the first certificate of a PEM chain as `aa:bb:…`. Throws on text that holds none. */
export function fingerprintOf(chain: string): string {
  const leaf = new X509Certificate(chain);
  return (createHash("sha256").update(leaf.raw).digest("hex").match(/../g) ?? []).join(":");
}
