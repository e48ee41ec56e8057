/** pxar archives: items, encoder, sequential decoder, random access. */
export { type AccessorEntry, PxarAccessor, PxarDirectory, sequentialSource } from "./accessor.ts";
export { type DecoderOptions, PxarDecoder } from "./decoder.ts";
export { type EncoderOptions, PxarEncoder } from "./encoder.ts";
export type { PxarEntry, PxarEvent } from "./entry.ts";
export {
  type Acl,
  type AclDefault,
  type AclEntry,
  type EntryKind,
  FileType,
  type Metadata,
  newAcl,
} from "./metadata.ts";
export type { Xattr } from "./metadata.ts";
export { MemorySink, memorySource } from "./memory.ts";
export { type ArchiveSink, both, type PayloadSink, type RandomSource, type SequentialSource } from "./sink.ts";
