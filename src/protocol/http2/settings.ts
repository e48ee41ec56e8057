/** HTTP/2 settings: RFC 9113 §6.5.2. */
import { ErrorCode, Http2Error } from "./errors.ts";

/** Values of one side's settings. */
export interface Settings {
  /** Bytes of HPACK dynamic table its decoder offers. */
  headerTableSize: number;
  enablePush: boolean;
  maxConcurrentStreams: number;
  /** Bytes. */
  initialWindowSize: number;
  /** Bytes. */
  maxFrameSize: number;
  /** Bytes, advisory. */
  maxHeaderListSize: number;
}

/** Largest flow-control window in bytes. */
export const MAX_WINDOW = 0x7fff_ffff;

const ID = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** What holds before the first SETTINGS frame. */
export function defaultSettings(): Settings {
  return {
    headerTableSize: 4096,
    enablePush: true,
    maxConcurrentStreams: Infinity,
    initialWindowSize: 65535,
    maxFrameSize: 16384,
    maxHeaderListSize: Infinity,
  };
}

/** Payload of a SETTINGS frame with the given values. */
export function encodeSettings(settings: Partial<Settings>): Uint8Array<ArrayBuffer> {
  const keys = (Object.keys(ID) as (keyof typeof ID)[]).filter((key) => settings[key] !== undefined);
  const payload = new Uint8Array(keys.length * 6);
  const view = new DataView(payload.buffer);
  keys.forEach((key, i) => {
    view.setUint16(i * 6, ID[key]);
    view.setUint32(i * 6 + 2, Number(settings[key]));
  });
  return payload;
}

/** Writes the values of a SETTINGS payload into `settings`; unknown ones are ignored. Throws {@link Http2Error}. */
export function applySettings(settings: Settings, payload: Uint8Array): void {
  if (payload.length % 6 !== 0) {
    throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS length is not a multiple of 6");
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  for (let at = 0; at < payload.length; at += 6) {
    const value = view.getUint32(at + 2);
    switch (view.getUint16(at)) {
      case ID.headerTableSize:
        settings.headerTableSize = value;
        break;
      case ID.enablePush:
        if (value > 1) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `SETTINGS_ENABLE_PUSH is ${value}`);
        settings.enablePush = value === 1;
        break;
      case ID.maxConcurrentStreams:
        settings.maxConcurrentStreams = value;
        break;
      case ID.initialWindowSize:
        if (value > MAX_WINDOW) throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, `initial window of ${value} bytes`);
        settings.initialWindowSize = value;
        break;
      case ID.maxFrameSize:
        if (value < 16384 || value > 0xff_ffff) {
          throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `frame size of ${value} bytes`);
        }
        settings.maxFrameSize = value;
        break;
      case ID.maxHeaderListSize:
        settings.maxHeaderListSize = value;
        break;
    }
  }
}
