/** Parameter types that many methods share (`spec/api-schema.json`; names, lengths and patterns as there). */
import { bool, choice, integer, list, text } from "./types.ts";

const SAFE_ID = "[A-Za-z0-9_][A-Za-z0-9._\\-]*";
const USER_NAME = "[^\\s:/\\p{Cc}]+";

/** A name without `/`, white space or a leading `.` or `-`. */
export const SAFE_ID_PATTERN: RegExp = new RegExp(`^(?:${SAFE_ID})$`);
const USERID_PATTERN = new RegExp(`^(?:${USER_NAME})@(?:${SAFE_ID})$`, "u");
const TOKENID_PATTERN = new RegExp(`^(?:${USER_NAME})@(?:${SAFE_ID})!(?:${SAFE_ID})$`, "u");
const AUTHID_PATTERN = new RegExp(
  `^(?:(?:${USER_NAME})@(?:${SAFE_ID})|(?:${USER_NAME})@(?:${SAFE_ID})!(?:${SAFE_ID}))$`,
  "u",
);
const UPID_PATTERN =
  /^UPID:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?:[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8,9}:[0-9A-Fa-f]{8,16}:[0-9A-Fa-f]{8}:[^:\s]+:[^:\s]*:[^:\s]+:$/;

/** Name of a datastore. */
export const storeName = () => text({ min: 3, max: 32, pattern: SAFE_ID_PATTERN });
/** Namespace: up to eight safe names joined by `/`; empty for the root. */
export const namespace = () => text({ max: 256, pattern: new RegExp(`^(?:(?:(?:${SAFE_ID})/){0,7}(?:${SAFE_ID}))?$`) });
/** `vm`, `ct` or `host`. */
export const backupType = () => choice(["vm", "ct", "host"]);
/** Backup id within its type. */
export const backupId = () => text({ pattern: SAFE_ID_PATTERN });
/** Backup time in Unix seconds. */
export const backupTime = () => integer(1);
/** File name inside a snapshot, with its `.blob`, `.fidx` or `.didx` ending, or an archive name without it. */
export const archiveName = () => text({ pattern: SAFE_ID_PATTERN });
/** SHA-256 as 64 lower-case hex digits. */
export const sha256Hex = () => text({ pattern: /^[a-f0-9]{64}$/ });
/** User id `name@realm`. */
export const userid = () => text({ min: 3, max: 64, pattern: USERID_PATTERN });
/** Token id `name@realm!token`. */
export const tokenid = () => text({ min: 3, max: 64, pattern: TOKENID_PATTERN });
/** User id or token id. */
export const authid = () => text({ min: 3, max: 64, pattern: AUTHID_PATTERN });
/** Name part of an API token. */
export const tokenName = () => text({ pattern: SAFE_ID_PATTERN });
/** One line of free text, at most 128 characters. */
export const comment = () => text({ max: 128, pattern: /^\P{Cc}*$/u });
/** ACL path: `/` or `/component…` of safe names. */
export const aclPath = () => text({ min: 1, max: 128, pattern: new RegExp(`^(?:/|(?:/(?:${SAFE_ID}))+)$`) });
/** Node name; every name means this machine. */
export const nodeName = () => text({ pattern: /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)$/ });
/** Task id. */
export const upid = () => text({ min: 36, max: 256, pattern: UPID_PATTERN });
/** Names of properties to reset in an update. */
export const deleteList = <const T extends readonly [string, ...string[]]>(words: T) => list(choice(words)).optional();
/** Yes/no that is false when absent. */
export const flag = () => bool().default(false);
