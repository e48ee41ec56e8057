/** Parameters of the upgrade request and of the calls in a backup session (`spec/backup-protocol.md` §2.2 and §7). */
import { z } from "zod";
import {
  archiveName,
  backupId,
  backupTime,
  backupType,
  bool,
  integer,
  list,
  namespace,
  sha256Hex,
  storeName,
  text,
} from "../../config/schema/mod.ts";
import { ENCRYPTED_HEADER_SIZE, MAX_CHUNK_SIZE, PLAIN_HEADER_SIZE } from "../../formats/blob.ts";

/** Longest encoded chunk or blob in bytes. */
export const MAX_UPLOAD = MAX_CHUNK_SIZE + ENCRYPTED_HEADER_SIZE;

const wid = () => integer(1, 256);

export const openParameters = z.object({
  "store": storeName(),
  "ns": namespace().optional(),
  "backup-type": backupType(),
  "backup-id": backupId(),
  "backup-time": backupTime(),
  "debug": bool().optional(),
  "benchmark": bool().optional(),
  // Concerns object stores with a cache only; accepted everywhere.
  "no-cache": bool().optional(),
});

export const noParameters = z.object({});

export const blobParameters = z.object({
  "file-name": archiveName(),
  "encoded-size": integer(PLAIN_HEADER_SIZE, MAX_UPLOAD),
});

export const fixedIndexParameters = z.object({
  "archive-name": archiveName(),
  "size": integer(1).optional(),
  "reuse-csum": text().optional(),
});

export const dynamicIndexParameters = z.object({ "archive-name": archiveName() });

export const chunkParameters = z.object({
  "wid": wid(),
  "digest": sha256Hex(),
  "size": integer(1, MAX_CHUNK_SIZE),
  "encoded-size": integer(PLAIN_HEADER_SIZE + 1, MAX_UPLOAD),
});

export const appendParameters = z.object({
  "wid": wid(),
  "digest-list": list(sha256Hex()),
  "offset-list": list(integer(0)),
});

/** Closing an index; a dynamic one cannot be empty. */
export const closeParameters = (least: 0 | 1) =>
  z.object({ "wid": wid(), "chunk-count": integer(least), "size": integer(least), "csum": text() });

export const previousParameters = z.object({ "archive-name": archiveName() });
