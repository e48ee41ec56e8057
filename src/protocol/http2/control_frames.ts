/** What each frame other than DATA means for the connection: RFC 9113 §6. */
import { ErrorCode, Http2Error } from "./errors.ts";
import type { FloodGuard } from "./flood_guard.ts";
import * as frames from "./frames.ts";
import { Flag, FrameType, readU32 } from "./frames.ts";
import { checkDependency, HeaderAssembler, type HeaderBlock } from "./header_block.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import type { Field } from "./hpack/dynamic_table.ts";
import type { HpackEncoder } from "./hpack/encoder.ts";
import type { Outbox } from "./outbox.ts";
import { applySettings, type Settings } from "./settings.ts";
import type { Stream } from "./stream.ts";

/** The connection as its frames act on it. */
export interface ControlHost {
  readonly guard: FloodGuard;
  readonly outbox: Outbox;
  readonly encoder: HpackEncoder;
  readonly remoteSettings: Settings;
  readonly streams: ReadonlyMap<number, Stream>;
  /** True for a stream id that was never used. */
  isIdle(streamId: number): boolean;
  onHeaders(block: HeaderBlock, fields: Field[], tooLarge: boolean): void;
  /** The peer takes no stream above `lastStreamId`. */
  onGoaway(lastStreamId: number, error: Http2Error): void;
  closeStream(stream: Stream, error: Error): void;
}

/** Takes frames in order. Throws {@link Http2Error}: with a stream id for that stream, else for the connection. */
export class ControlFrames {
  readonly #host: ControlHost;
  readonly #maxHeaderListSize: number;
  readonly #decoder = new HpackDecoder();
  readonly #assembler = new HeaderAssembler();
  /** The peer's first SETTINGS are here. */
  sawSettings = false;

  constructor(host: ControlHost, maxHeaderListSize: number) {
    this.#host = host;
    this.#maxHeaderListSize = maxHeaderListSize;
  }

  /** Throws when a frame of this type cannot come now: SETTINGS come first, and nothing comes inside a header block. */
  checkOrder(type: number): void {
    if (this.#assembler.open && type !== FrameType.CONTINUATION) {
      throw protocolError("a frame inside a header block");
    }
    if (!this.sawSettings && type !== FrameType.SETTINGS) throw protocolError("the first frame is not SETTINGS");
    this.sawSettings = true;
  }

  /** Acts on one frame. */
  take(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    const { guard, outbox } = this.#host;
    switch (type) {
      case FrameType.HEADERS:
        if (streamId === 0) throw protocolError("HEADERS on stream 0");
        return this.#onBlock(this.#assembler.start(flags, streamId, payload));
      case FrameType.CONTINUATION:
        return this.#onBlock(this.#assembler.next(flags, streamId, payload));
      case FrameType.SETTINGS:
        return this.#onSettings(flags, streamId, payload);
      case FrameType.WINDOW_UPDATE:
        return this.#onWindowUpdate(streamId, readU32(payload, 0) & 0x7fff_ffff);
      case FrameType.RST_STREAM:
        return this.#onReset(streamId, readU32(payload, 0));
      case FrameType.PING:
        if (streamId !== 0) throw protocolError("PING on a stream");
        guard.spend(1, "PING frames");
        if (!(flags & Flag.ACK)) outbox.control(frames.buildPingAck(payload));
        return;
      case FrameType.GOAWAY:
        return this.#onGoaway(streamId, payload);
      case FrameType.PUSH_PROMISE:
        throw protocolError("PUSH_PROMISE although push is off");
      case FrameType.PRIORITY:
        if (streamId === 0) throw protocolError("PRIORITY on stream 0");
        guard.spend(1, "PRIORITY frames");
        return checkDependency(streamId, payload, 0);
      default:
        guard.spend(1, "frames of unknown type");
    }
  }

  #onBlock(block: HeaderBlock | undefined): void {
    if (!block) return;
    const { fields, tooLarge } = this.#decoder.decode(block.block, this.#maxHeaderListSize);
    this.#host.onHeaders(block, fields, tooLarge);
  }

  #onSettings(flags: number, streamId: number, payload: Uint8Array): void {
    const { guard, outbox, encoder, remoteSettings, streams } = this.#host;
    if (streamId !== 0) throw protocolError("SETTINGS on a stream");
    guard.spend(2, "SETTINGS frames");
    if (flags & Flag.ACK) {
      if (payload.length > 0) throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS acknowledgement with payload");
      return;
    }
    const before = remoteSettings.initialWindowSize;
    applySettings(remoteSettings, payload);
    const change = remoteSettings.initialWindowSize - before;
    for (const stream of change === 0 ? [] : streams.values()) {
      try {
        stream.addSendWindow(change);
      } catch (cause) {
        throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "SETTINGS make a window overflow", { cause });
      }
    }
    encoder.setMaxTableSize(remoteSettings.headerTableSize);
    outbox.control(frames.buildSettingsAck());
  }

  #onWindowUpdate(streamId: number, increment: number): void {
    const { guard, outbox, streams } = this.#host;
    guard.spend(1, "WINDOW_UPDATE frames");
    if (streamId === 0) {
      if (increment === 0) throw protocolError("WINDOW_UPDATE of 0");
      return outbox.addWindow(increment);
    }
    if (this.#host.isIdle(streamId)) throw protocolError(`WINDOW_UPDATE on idle stream ${streamId}`);
    if (increment === 0) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0", { streamId });
    streams.get(streamId)?.addSendWindow(increment);
  }

  #onReset(streamId: number, code: number): void {
    if (streamId === 0 || this.#host.isIdle(streamId)) throw protocolError(`RST_STREAM on stream ${streamId}`);
    this.#host.guard.spend(4, "RST_STREAM frames");
    const stream = this.#host.streams.get(streamId);
    if (stream) this.#host.closeStream(stream, new Http2Error(code, "the peer reset the stream", { streamId }));
  }

  #onGoaway(streamId: number, payload: Uint8Array): void {
    if (streamId !== 0) throw protocolError("GOAWAY on a stream");
    if (payload.length < 8) throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, "GOAWAY too short");
    this.#host.guard.spend(4, "GOAWAY frames");
    const text = new TextDecoder().decode(payload.subarray(8, 208));
    const what = `the peer closes the connection${text === "" ? "" : ` (${text})`}`;
    this.#host.onGoaway(readU32(payload, 0) & 0x7fff_ffff, new Http2Error(readU32(payload, 4), what));
  }
}

/** A violation that ends the connection. */
export function protocolError(what: string): Http2Error {
  return new Http2Error(ErrorCode.PROTOCOL_ERROR, what);
}
