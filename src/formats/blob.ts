/** The envelope of chunks and `.blob` files (`spec/blob.md`): magic, CRC, optional encryption, optional compression. */
import { bytesEqual, toHex, viewOf } from "../base/bytes.ts";
import { DozoError, FormatError } from "../base/errors.ts";
import { crc32, crc32Async } from "../native/crc32.ts";
import { aesGcmDecrypt, aesGcmEncryptInto, randomBytes } from "../native/crypto.ts";
import { zstdCompressInto, zstdDecompress } from "../native/zstd.ts";
import { chunkDigest, type CryptKey } from "./crypt_key.ts";

/** What the magic of a blob says. */
export type BlobKind = "plain" | "compressed" | "encrypted" | "encrypted-compressed";

/** Most bytes that one blob may carry. */
export const MAX_BLOB_SIZE = 128 * 1024 * 1024;
/** Most plain bytes of a chunk. */
export const MAX_CHUNK_SIZE = 16 * 1024 * 1024;
/** Bytes before the body of an unencrypted blob. */
export const PLAIN_HEADER_SIZE = 12;
/** Bytes before the body of an encrypted blob. */
export const ENCRYPTED_HEADER_SIZE = 44;
/** Most bytes of an encoded chunk or uploaded blob. */
export const MAX_ENCODED_CHUNK_SIZE = MAX_CHUNK_SIZE + ENCRYPTED_HEADER_SIZE;

const MAGIC: Readonly<Record<BlobKind, Uint8Array>> = {
  "plain": Uint8Array.of(66, 171, 56, 7, 190, 131, 112, 161),
  "compressed": Uint8Array.of(49, 185, 88, 66, 111, 182, 163, 127),
  "encrypted": Uint8Array.of(123, 103, 133, 190, 34, 45, 76, 240),
  "encrypted-compressed": Uint8Array.of(230, 89, 27, 191, 11, 191, 216, 11),
};
const KINDS = Object.keys(MAGIC) as BlobKind[];
const IV_OFFSET = 12;
const TAG_OFFSET = 28;
const SYNC_CRC_LIMIT = 256 * 1024;

/** Options of {@link encodeBlob}. */
export interface EncodeOptions {
  /** Encrypt with this key. */
  key?: CryptKey;
  /** Try zstd level 1 and keep the result when it is not larger than the data. Default true. */
  compress?: boolean;
  /** Buffer for the result, at least {@link encodedSizeBound} bytes; one is allocated otherwise. Must not overlap the data. */
  into?: Uint8Array<ArrayBuffer>;
}

/** Options of {@link decodeBlob}. */
export interface DecodeOptions {
  /** Key of encrypted blobs. */
  key?: CryptKey;
  /** Most bytes the content may have: {@link MAX_CHUNK_SIZE} for chunks; default {@link MAX_BLOB_SIZE}. */
  maxSize?: number;
  /** Check the CRC first. Default true. */
  checkCrc?: boolean;
  /** Expected chunk digest of the content, keyed when the blob is encrypted (`spec/blob.md` §5). */
  digest?: Uint8Array;
}

/** Size of the buffer that any encoding of `dataLength` bytes fits in. */
export function encodedSizeBound(dataLength: number, encrypted: boolean): number {
  return dataLength + (encrypted ? ENCRYPTED_HEADER_SIZE : PLAIN_HEADER_SIZE);
}

/** Kind of an encoded blob. Throws {@link FormatError} when it is too short or has another magic. */
export function blobKind(file: Uint8Array): BlobKind {
  const kind = KINDS.find((kind) => MAGIC[kind].every((byte, i) => file[i] === byte));
  if (kind === undefined) {
    throw new FormatError(file.length < PLAIN_HEADER_SIZE ? "blob is too short" : "not a blob: wrong magic", {
      offset: 0,
    });
  }
  if (file.length < headerSize(kind)) throw new FormatError("blob ends within its header", { offset: file.length });
  return kind;
}

/** True when the body is encrypted. Throws as {@link blobKind}. */
export function isEncryptedBlob(file: Uint8Array): boolean {
  return headerSize(blobKind(file)) === ENCRYPTED_HEADER_SIZE;
}

/** Checks the CRC of the body. Throws {@link FormatError} on a mismatch or as {@link blobKind}. */
export async function verifyBlobCrc(file: Uint8Array): Promise<void> {
  const body = file.subarray(headerSize(blobKind(file)));
  if (await crcOf(body) !== viewOf(file).getUint32(8, true)) {
    throw new FormatError("blob is damaged: wrong CRC", { offset: 8 });
  }
}

/** Recomputes the CRC in place, as a server does with an uploaded chunk. Throws as {@link blobKind}. */
export async function sealCrc(file: Uint8Array): Promise<void> {
  const body = file.subarray(headerSize(blobKind(file)));
  viewOf(file).setUint32(8, await crcOf(body), true);
}

/**
 * Encodes `data` (`spec/blob.md` §3) without an intermediate copy: the body is compressed, copied or encrypted straight
 * behind its header. The result is a view on `into` or on a buffer of its own. `data` must not change meanwhile.
 * Throws {@link DozoError} above {@link MAX_BLOB_SIZE}.
 */
export async function encodeBlob(data: Uint8Array, options: EncodeOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const { key, compress = true } = options;
  if (data.length > MAX_BLOB_SIZE) {
    throw new DozoError(`a blob holds at most ${MAX_BLOB_SIZE} bytes, these are ${data.length}`);
  }
  const bound = encodedSizeBound(data.length, key !== undefined);
  const buffer = options.into ?? new Uint8Array(bound);
  if (buffer.length < bound) throw new DozoError(`encoding needs a buffer of ${bound} bytes, not ${buffer.length}`);
  const header = key ? ENCRYPTED_HEADER_SIZE : PLAIN_HEADER_SIZE;
  const compressed = compress && data.length > 0
    ? await zstdCompressInto(data, buffer.subarray(header, header + data.length))
    : null;
  const file = buffer.subarray(0, header + (compressed ?? data.length));
  const body = file.subarray(header);
  if (key) {
    file.set(randomBytes(TAG_OFFSET - IV_OFFSET), IV_OFFSET);
    const plain = compressed === null ? data : body;
    file.set(await aesGcmEncryptInto(key.encKey, file.subarray(IV_OFFSET, TAG_OFFSET), plain, body), TAG_OFFSET);
  } else if (compressed === null) {
    body.set(data);
  }
  file.set(MAGIC[kindOf(key !== undefined, compressed !== null)]);
  viewOf(file).setUint32(8, await crcOf(body), true);
  return file;
}

/**
 * Content of a blob (`spec/blob.md` §4). The content of a plain one is a view on `file`, not a copy.
 * Throws {@link FormatError} for a damaged blob, one larger than `maxSize`, or another digest than the expected one,
 * {@link DozoError} for a missing or wrong key.
 */
export async function decodeBlob(file: Uint8Array, options: DecodeOptions = {}): Promise<Uint8Array> {
  const { key, maxSize = MAX_BLOB_SIZE, checkCrc = true, digest } = options;
  const kind = blobKind(file);
  const header = headerSize(kind);
  let content = file.subarray(header);
  if (content.length > maxSize) throw new FormatError(`blob is larger than ${maxSize} bytes`, { offset: header });
  if (checkCrc) await verifyBlobCrc(file);
  const encrypted = header === ENCRYPTED_HEADER_SIZE;
  if (encrypted) {
    if (!key) throw new DozoError("the blob is encrypted and no encryption key was given");
    const iv = file.subarray(IV_OFFSET, TAG_OFFSET);
    content = await aesGcmDecrypt(key.encKey, iv, file.subarray(TAG_OFFSET, header), content);
  }
  if (kind.endsWith("compressed")) content = await zstdDecompress(content, maxSize);
  if (digest && !bytesEqual(await chunkDigest(content, encrypted ? key : undefined), digest)) {
    throw new FormatError(`chunk content does not have the digest ${toHex(digest)}`);
  }
  return content;
}

function headerSize(kind: BlobKind): number {
  return kind.startsWith("encrypted") ? ENCRYPTED_HEADER_SIZE : PLAIN_HEADER_SIZE;
}

function kindOf(encrypted: boolean, compressed: boolean): BlobKind {
  if (encrypted) return compressed ? "encrypted-compressed" : "encrypted";
  return compressed ? "compressed" : "plain";
}

function crcOf(body: Uint8Array): number | Promise<number> {
  return body.length <= SYNC_CRC_LIMIT ? crc32(body) : crc32Async(body);
}
