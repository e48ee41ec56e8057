/** For tests: two ends of a pipe, and a peer that sends and sees single frames. */
import { Duplex } from "node:stream";
import { FrameParser } from "./frame_parser.ts";
import * as frames from "./frames.ts";
import { FrameType } from "./frames.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import type { Field } from "./hpack/dynamic_table.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import { defaultSettings, type Settings } from "./settings.ts";

/** Two streams: what is written to one can be read from the other. A reader that stops holds its writer back. */
export function socketPair(): [Duplex, Duplex] {
  const a = new PipeEnd();
  const b = new PipeEnd();
  a.other = b;
  b.other = a;
  return [a, b];
}

class PipeEnd extends Duplex {
  other!: PipeEnd;
  #resume?: () => void;

  override _read(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    // Copied, as a network would: the writer may use its memory again.
    queueMicrotask(() => {
      if (this.other.destroyed || this.other.push(chunk.slice())) done();
      else this.other.#resume = done;
    });
  }

  override _final(done: () => void): void {
    if (!this.other.destroyed) this.other.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const resume = this.other.#resume;
    this.other.#resume = undefined;
    resume?.();
    if (!this.other.destroyed && !this.other.readableEnded) this.other.push(null);
    done(error);
  }
}

/** A frame as the raw peer received it. */
export interface SeenFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Uint8Array;
}

/** Speaks single frames over a socket, right or wrong ones. */
export class RawPeer {
  readonly seen: SeenFrame[] = [];
  readonly encoder = new HpackEncoder();
  readonly decoder = new HpackDecoder();
  ended = false;
  readonly #socket: Duplex;
  #wake: (() => void)[] = [];

  /** `asServer`: expects the client's preface. */
  constructor(socket: Duplex, asServer = false) {
    this.#socket = socket;
    let data: number[] = [];
    let head = { flags: 0, streamId: 0 };
    const add = (type: number, flags: number, streamId: number, payload: Uint8Array) => {
      this.seen.push({ type, flags, streamId, payload: payload.slice() });
    };
    const parser = new FrameParser(
      {
        frame: add,
        dataStart: (streamId, flags) => {
          head = { streamId, flags };
          data = [];
        },
        dataPiece: (piece) => piece.forEach((octet) => data.push(octet)),
        dataEnd: () => add(FrameType.DATA, head.flags, head.streamId, Uint8Array.from(data)),
      },
      0xff_ffff,
      asServer ? frames.PREFACE : undefined,
    );
    socket.on("data", (chunk: Uint8Array) => {
      parser.push(chunk);
      this.#changed();
    });
    socket.on("close", () => this.#onEnd());
    socket.on("end", () => {
      this.#onEnd();
      socket.end();
    });
    socket.on("error", () => {});
  }

  /** Writes bytes as they are. */
  send(...parts: Uint8Array[]): void {
    for (const part of parts) if (this.#socket.writable) this.#socket.write(part);
  }

  /** A client's beginning. */
  open(settings: Partial<Settings> = {}): void {
    this.send(frames.PREFACE, frames.buildSettings(settings));
  }

  /** HEADERS of a request. */
  request(streamId: number, method: string, path: string, endStream = true, more: Field[] = []): void {
    const fields: Field[] = [[":method", method], [":scheme", "https"], [":authority", "x"], [":path", path], ...more];
    this.headers(streamId, fields, endStream);
  }

  /** HEADERS with any fields. */
  headers(streamId: number, fields: Field[], endStream: boolean): void {
    this.send(frames.buildHeaders(streamId, this.encoder.encode(fields), endStream, defaultSettings().maxFrameSize));
  }

  /** DATA. */
  data(streamId: number, payload: Uint8Array, endStream: boolean): void {
    this.send(frames.buildFrame(FrameType.DATA, endStream ? 1 : 0, streamId, payload));
  }

  /** Stops reading for good. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** The first frame, seen already or later, that fits; undefined when the connection ends first. */
  async frame(type: number, fits: (frame: SeenFrame) => boolean = () => true): Promise<SeenFrame | undefined> {
    while (true) {
      const found = this.seen.find((frame) => frame.type === type && fits(frame));
      if (found || this.ended) return found;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Error code of the GOAWAY that ends the connection, undefined when it ends without. */
  async goaway(): Promise<number | undefined> {
    const frame = await this.frame(FrameType.GOAWAY);
    return frame && frames.readU32(frame.payload, 4);
  }

  /** Error code of the RST_STREAM of a stream. */
  async reset(streamId: number): Promise<number | undefined> {
    const frame = await this.frame(FrameType.RST_STREAM, (seen) => seen.streamId === streamId);
    return frame && frames.readU32(frame.payload, 0);
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  #onEnd(): void {
    this.ended = true;
    this.#changed();
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
