/** What both roles share: frames in and out, settings, windows, stream table, the end. RFC 9113. */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { DozoError } from "../../base/errors.ts";
import { ControlFrames, type ControlHost, protocolError } from "./control_frames.ts";
import { ErrorCode, errorCodeName, Http2Error } from "./errors.ts";
import { FloodGuard } from "./flood_guard.ts";
import { FrameParser, type FrameSink } from "./frame_parser.ts";
import * as frames from "./frames.ts";
import { Flag, FrameType } from "./frames.ts";
import type { HeaderBlock } from "./header_block.ts";
import type { Field } from "./hpack/dynamic_table.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import { Outbox } from "./outbox.ts";
import { ReceiveCredit } from "./receive_credit.ts";
import { defaultSettings, type Settings } from "./settings.ts";
import { Stream, type StreamHost } from "./stream.ts";
import type { ConnectionEnd, Http2Options } from "./types.ts";

/** Options with every default filled in. */
export type LocalOptions = Required<Http2Options>;

/** Streams that ended lately are remembered, to tell late frames from nonsense. */
const REMEMBERED_STREAMS = 1000;
/** A broken connection gets this long to take its GOAWAY, an orderly one to take its last answers, milliseconds. */
const LINGER = { broken: 1000, orderly: 30_000 };
/** Silence after which TCP asks whether the peer is still there, milliseconds (`spec/backup-protocol.md` §9). */
const KEEP_ALIVE = 120_000;
const INITIAL_WINDOW = 65535;

/** One HTTP/2 connection. */
export abstract class Http2Connection implements FrameSink, StreamHost, ControlHost {
  readonly closed: Promise<ConnectionEnd>;
  readonly remoteSettings: Settings = defaultSettings();
  protected readonly options: LocalOptions;
  protected readonly socket: Duplex;
  readonly streams = new Map<number, Stream>();
  readonly outbox: Outbox;
  readonly guard = new FloodGuard();
  readonly encoder = new HpackEncoder();
  /** Highest stream id the peer opened. */
  protected lastPeerStream = 0;
  /** No new streams: we sent or got GOAWAY, or the socket is ending. */
  protected goingAway = false;
  protected ended = false;
  readonly #parser: FrameParser;
  readonly #frames: ControlFrames;
  readonly #credit: ReceiveCredit;
  /** How streams ended: by reset of ours, or otherwise. */
  readonly #past = new Map<number, "reset" | "ended">();
  #error?: Error;
  #dataStream?: Stream;
  #dataFlags = 0;
  #dataLength = 0;
  #dataPassed = 0;
  /** An update will follow anyway. */
  #updating = false;
  #linger?: ReturnType<typeof setTimeout>;
  #resolveClosed!: (end: ConnectionEnd) => void;

  constructor(socket: Duplex, options: LocalOptions, isServer: boolean) {
    this.socket = socket;
    this.options = options;
    this.outbox = new Outbox(socket, this.remoteSettings, (bytes) => this.guard.earn(bytes));
    this.#parser = new FrameParser(this, options.maxFrameSize, isServer ? frames.PREFACE : undefined);
    this.#frames = new ControlFrames(this, options.maxHeaderListSize);
    this.#credit = new ReceiveCredit(INITIAL_WINDOW, options);
    this.closed = new Promise((resolve) => this.#resolveClosed = resolve);
  }

  /** A header list came on a stream that is new or waits for it. */
  abstract onHeaders(block: HeaderBlock, fields: Field[], tooLarge: boolean): void;
  /** True for a stream id that was never used. */
  abstract isIdle(streamId: number): boolean;
  /** The peer takes no stream above `lastStreamId`, and no new ones. */
  protected abstract dropAbove(lastStreamId: number, error: Error): void;
  /** True while a complete request is being worked on. */
  protected abstract isWorking(): boolean;
  /** Settings, windows or streams changed: something that waited may go on. */
  protected abstract onProgress(): void;
  /** Resolves when nothing runs for this connection any more. */
  protected abstract finished(): Promise<void>;

  /** Sends `opening` (preface and SETTINGS) and begins to read; `head` comes before the socket's next bytes. */
  protected start(opening: Uint8Array[], head: Uint8Array): void {
    const { socket } = this;
    for (const frame of opening) this.outbox.control(frame);
    // Frame headers are written apart from long payloads: waiting to fill packets would cost 40 ms each time.
    (socket as Partial<Socket>).setNoDelay?.(true);
    // A session has no time limit, so a peer that vanished without a word must be noticed otherwise: it may hold locks.
    (socket as Partial<Socket>).setKeepAlive?.(true, KEEP_ALIVE);
    socket.on("data", (chunk: Uint8Array) => this.#input(chunk));
    socket.on("end", () => this.#onEnd());
    socket.on("error", (cause: Error) => {
      this.#error ??= new DozoError(`the connection broke: ${cause.message}`, { cause });
    });
    socket.on("close", () => void this.#onClose());
    // The peer may have gone while the session was prepared: its events are over.
    if (socket.closed) return void this.#onClose();
    if (socket.readableEnded) return this.#onEnd();
    if (head.length > 0) this.#input(head);
    else this.#update();
    // An upgraded socket is handed over paused.
    socket.resume();
  }

  abort(error?: Error): void {
    this.#error ??= error;
    this.ended = true;
    this.goingAway = true;
    this.#failStreams(error ?? new DozoError("the connection was aborted"));
    this.socket.destroy();
  }

  /** GOAWAY, then the end as soon as no stream is left. */
  async close(): Promise<void> {
    if (!this.goingAway) this.guarded(() => this.outbox.control(this.#goaway(ErrorCode.NO_ERROR)));
    this.goingAway = true;
    this.#update();
    await this.closed;
  }

  // Frames from the parser

  frame(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    this.#frames.checkOrder(type);
    try {
      this.#frames.take(type, flags, streamId, payload);
    } catch (error) {
      this.#streamError(error);
    }
  }

  dataStart(streamId: number, flags: number, length: number): void {
    this.#frames.checkOrder(FrameType.DATA);
    if (streamId === 0 || this.isIdle(streamId)) throw protocolError(`DATA on stream ${streamId}`);
    this.#credit.receive(length);
    this.#dataFlags = flags;
    this.#dataLength = length;
    this.#dataPassed = 0;
    this.#dataStream = undefined;
    if (length === 0 && !(flags & Flag.END_STREAM)) this.guard.spend(1, "empty DATA frames");
    const stream = this.streams.get(streamId);
    if (!stream || stream.remoteClosed) return this.#lateFrame(streamId);
    try {
      stream.receiveFrame(length);
      this.#dataStream = stream;
    } catch (error) {
      this.#streamError(error);
    }
  }

  dataPiece(piece: Uint8Array): void {
    this.#dataPassed += piece.length;
    const stream = this.#dataStream;
    if (!stream || stream.closed) return this.freed(piece.length);
    try {
      stream.receive(piece);
    } catch (error) {
      this.#streamError(error);
    }
  }

  dataEnd(): void {
    const padding = this.#dataLength - this.#dataPassed;
    const stream = this.#dataStream;
    this.#dataStream = undefined;
    if (!stream || stream.closed) return this.freed(padding);
    if (padding > 0) stream.skipPadding(padding);
    if (this.#dataFlags & Flag.END_STREAM) this.endRemote(stream);
  }

  // What streams ask for

  sendWindowUpdate(stream: Stream, increment: number): void {
    this.guarded(() => this.outbox.control(frames.buildWindowUpdate(stream.id, increment)));
    this.#updateSoon();
  }

  freed(bytes: number): void {
    this.#credit.release(bytes);
    this.#updateSoon();
  }

  onGoaway(lastStreamId: number, error: Http2Error): void {
    this.goingAway = true;
    if (error.code !== ErrorCode.NO_ERROR) this.#error ??= error;
    this.dropAbove(lastStreamId, error);
  }

  // For the roles

  /** Runs `work`; what it throws ends the connection. */
  protected guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** True once the peer has told its limits. */
  protected get ready(): boolean {
    return this.#frames.sawSettings;
  }

  /** Windows, waiting work and output, after anything changed. */
  protected update(): void {
    this.#update();
  }

  protected addStream(id: number): Stream {
    const stream = new Stream(this, id, this.remoteSettings.initialWindowSize, this.options.streamWindow);
    this.streams.set(id, stream);
    return stream;
  }

  protected sendHeaders(stream: Stream, fields: Iterable<Field>, endStream: boolean): void {
    const block = this.encoder.encode(fields);
    this.outbox.control(frames.buildHeaders(stream.id, block, endStream, this.remoteSettings.maxFrameSize));
    if (endStream) this.endLocal(stream);
  }

  protected endLocal(stream: Stream): void {
    stream.localClosed = true;
    if (stream.remoteClosed) this.closeStream(stream);
  }

  /** The peer ended its side of the stream. */
  protected endRemote(stream: Stream): void {
    try {
      stream.receiveEnd();
    } catch (error) {
      return this.#streamError(error);
    }
    if (stream.localClosed) this.closeStream(stream);
  }

  /** RST_STREAM, and the stream is gone; without `error` as if both sides had ended it. */
  protected resetStream(stream: Stream, code: number, error?: Error): void {
    if (stream.closed) return;
    this.outbox.control(frames.buildReset(stream.id, code));
    this.closeStream(stream, error);
    this.#past.set(stream.id, "reset");
  }

  /** RST_STREAM for a stream that was never admitted. */
  protected refuseStream(streamId: number, code: number): void {
    this.guard.spend(4, "refused streams");
    this.outbox.control(frames.buildReset(streamId, code));
    this.#remember(streamId, "reset");
  }

  closeStream(stream: Stream, error?: Error): void {
    if (stream.closed) return;
    stream.closed = true;
    this.streams.delete(stream.id);
    this.outbox.drop(stream);
    this.#remember(stream.id, "ended");
    if (error) stream.body.fail(error);
    stream.onClosed?.(error);
  }

  /** True, or throws, for a frame on a stream that is over: frames behind our reset are ignored. */
  protected lateHeaders(streamId: number): boolean {
    this.guard.spend(4, "HEADERS on closed streams");
    const past = this.#past.get(streamId);
    if (past === "ended") throw new Http2Error(ErrorCode.STREAM_CLOSED, `HEADERS on closed stream ${streamId}`);
    return past === "reset";
  }

  #lateFrame(streamId: number): void {
    if (this.#past.get(streamId) !== "reset") {
      throw new Http2Error(ErrorCode.STREAM_CLOSED, `DATA on closed stream ${streamId}`);
    }
  }

  // Input, output and the end

  #input(chunk: Uint8Array): void {
    if (this.ended) return;
    this.#updating = true;
    this.guarded(() => this.#parser.push(chunk));
    this.#updating = false;
    this.#update();
  }

  /** Readers take and free bytes at any time: one update for all that happens in this turn. */
  #updateSoon(): void {
    if (this.#updating || this.ended) return;
    this.#updating = true;
    queueMicrotask(() => {
      this.#updating = false;
      this.#update();
    });
  }

  #update(): void {
    if (this.ended) return;
    this.guarded(() => {
      this.onProgress();
      const increment = this.#credit.grant(() => this.isWorking());
      if (increment > 0) this.outbox.control(frames.buildWindowUpdate(0, increment));
    });
    this.outbox.pump();
    if (this.goingAway && this.streams.size === 0 && this.outbox.empty) this.#finish(LINGER.orderly);
  }

  #remember(streamId: number, how: "reset" | "ended"): void {
    this.#past.set(streamId, how);
    if (this.#past.size > REMEMBERED_STREAMS) this.#past.delete(this.#past.keys().next().value as number);
  }

  #streamError(error: unknown): void {
    if (!(error instanceof Http2Error) || error.streamId === undefined) throw error;
    const stream = this.streams.get(error.streamId);
    if (stream) this.resetStream(stream, error.code, error);
  }

  #goaway(code: number, text?: string): Uint8Array {
    return frames.buildGoaway(this.lastPeerStream, code, text);
  }

  #fail(thrown: unknown): void {
    if (this.ended) return;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const code = error instanceof Http2Error ? error.code : ErrorCode.INTERNAL_ERROR;
    this.#error ??= error;
    this.#failStreams(error);
    const text = error instanceof Http2Error ? error.message : errorCodeName(code);
    this.outbox.stop(this.#goaway(code, text));
    this.#finish(LINGER.broken);
  }

  #finish(linger: number): void {
    this.ended = true;
    this.goingAway = true;
    this.socket.end();
    this.#linger = setTimeout(() => this.socket.destroy(), linger);
  }

  #onEnd(): void {
    if (this.ended) return;
    if (this.streams.size > 0) {
      this.#error ??= new DozoError("the peer closed the connection in the middle of a request");
    }
    this.#failStreams(this.#error ?? new DozoError("the peer closed the connection"));
    this.#finish(LINGER.broken);
  }

  async #onClose(): Promise<void> {
    clearTimeout(this.#linger);
    if (!this.ended && this.streams.size > 0) this.#error ??= new DozoError("the connection broke");
    this.ended = true;
    this.goingAway = true;
    this.#failStreams(this.#error ?? new DozoError("the connection was closed"));
    await this.finished();
    this.#resolveClosed({ error: this.#error });
  }

  #failStreams(error: Error): void {
    for (const stream of [...this.streams.values()]) this.closeStream(stream, error);
    this.dropAbove(0, error);
  }
}
