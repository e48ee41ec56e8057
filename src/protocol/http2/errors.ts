/** HTTP/2 error codes (RFC 9113 §7) and the error that carries one. */
import { DozoError } from "../../base/errors.ts";

/** Error codes of RST_STREAM and GOAWAY. */
export const ErrorCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;

const NAMES = Object.keys(ErrorCode);

/** Name of an error code, or its number when RFC 9113 has none. */
export function errorCodeName(code: number): string {
  return NAMES[code] ?? `error ${code}`;
}

/** A violation of HTTP/2, by the peer or seen by it. With `streamId` it ends that stream, without it the connection. */
export class Http2Error extends DozoError {
  readonly code: number;
  readonly streamId?: number;

  constructor(code: number, what: string, options: { streamId?: number; cause?: unknown } = {}) {
    super(`HTTP/2 ${errorCodeName(code)}: ${what}`, { status: 400, cause: options.cause });
    this.code = code;
    this.streamId = options.streamId;
  }
}
