/** Client role of HTTP/2 with prior knowledge on an existing socket. */
import type { Duplex } from "node:stream";
import { DozoError } from "../../base/errors.ts";
import { Http2Connection, type LocalOptions } from "./connection.ts";
import { ErrorCode, Http2Error } from "./errors.ts";
import { buildSettings, PREFACE } from "./frames.ts";
import type { HeaderBlock } from "./header_block.ts";
import { checkTrailers, parseResponseHead, type ResponseHead } from "./header_list.ts";
import type { Field } from "./hpack/dynamic_table.ts";
import { MAX_WINDOW } from "./settings.ts";
import type { Stream } from "./stream.ts";
import type { ClientConnection, ClientRequest, ClientResponse, ClientResponseStream, Http2Options } from "./types.ts";

const MIB = 1024 * 1024;
/** Streams in use at a time, whatever more the peer allows. */
const MAX_STREAMS = 100;
const DEFAULT_LIMIT = 16 * MIB + 65536;
/** What PBS clients send; servers do not look at it (`spec/backup-protocol.md` §5.1). */
const AUTHORITY = "localhost:8007";

const DEFAULTS: LocalOptions = {
  // PBS clients announce 2³¹−2. One stream needs no more than a chunk, and a slow reader of one must not fill memory.
  streamWindow: 32 * MIB,
  connectionWindow: MAX_WINDOW,
  maxFrameSize: 4 * MIB,
  maxConcurrentStreams: 0,
  maxHeaderListSize: 65536,
  receiveBudget: Infinity,
  receiveLimit: Infinity,
  sendBudget: Infinity,
  parallelDownloads: Infinity,
};

/**
 * Speaks HTTP/2 as the client on `socket` (sends the preface at once); `head` holds bytes that the peer sent after its
 * 101 answer and that were already read. Takes the socket over.
 */
export function connectHttp2(socket: Duplex, head: Uint8Array, options: Http2Options = {}): ClientConnection {
  const connection = new ClientSide(socket, { ...DEFAULTS, ...options });
  connection.begin(head);
  return connection;
}

/** A request that waits for its answer. */
interface Call {
  readonly stream: Stream;
  readonly method: string;
  /** The final head came; the body follows. */
  readonly onHead: (head: ResponseHead) => void;
  answered: boolean;
}

class ClientSide extends Http2Connection implements ClientConnection {
  readonly #calls = new Map<number, Call>();
  #nextStream = 1;
  /** Requests that wait for a free stream, and the number of those that were let in but have not opened theirs yet. */
  #waiting: (() => void)[] = [];
  #entering = 0;
  #gone?: Error;

  constructor(socket: Duplex, options: LocalOptions) {
    super(socket, options, false);
  }

  begin(head: Uint8Array): void {
    const { options } = this;
    const settings = buildSettings({
      enablePush: false,
      initialWindowSize: options.streamWindow,
      maxFrameSize: options.maxFrameSize,
      maxHeaderListSize: options.maxHeaderListSize,
    });
    this.start([PREFACE, settings], head);
  }

  async request(request: ClientRequest): Promise<ClientResponse> {
    let head: ResponseHead | undefined;
    const body = await this.#call<Uint8Array<ArrayBuffer>>(request, (stream, received, settle) => {
      head = received;
      const whole = stream.body.collect(request.limit ?? DEFAULT_LIMIT, request.sizeHint, request.pool);
      whole.then(settle.resolve, (error) => {
        settle.reject(error);
        // A body longer than the limit may never end: the rest of it is not wanted.
        this.#cancel(stream, error);
      });
    });
    const { status, headers } = head as unknown as ResponseHead;
    return { status, headers, body };
  }

  requestStream(request: ClientRequest): Promise<ClientResponseStream> {
    return this.#call<ClientResponseStream>(request, (stream, { status, headers }, settle) => {
      const cancel = () => this.#cancel(stream, new DozoError("the download was cancelled"));
      settle.resolve({ status, headers, body: stream.body.pieces(cancel), cancel });
    });
  }

  override isIdle(streamId: number): boolean {
    return streamId % 2 === 0 || streamId >= this.#nextStream;
  }

  protected override isWorking(): boolean {
    return false;
  }

  protected override finished(): Promise<void> {
    return Promise.resolve();
  }

  protected override dropAbove(lastStreamId: number, error: Error): void {
    this.#gone ??= error;
    for (const stream of [...this.streams.values()]) {
      if (stream.id > lastStreamId) this.closeStream(stream, error);
    }
    while (this.#waiting.length > 0) this.#wake();
  }

  protected override onProgress(): void {
    for (let free = this.#freeStreams(); free > 0 && this.#waiting.length > 0; free--) this.#wake();
  }

  /** An answer that is complete before the request: the rest of the request is not wanted. */
  protected override endRemote(stream: Stream): void {
    super.endRemote(stream);
    if (!stream.localClosed) this.resetStream(stream, ErrorCode.CANCEL);
  }

  override onHeaders(block: HeaderBlock, fields: Field[], tooLarge: boolean): void {
    const { streamId } = block;
    if (this.isIdle(streamId)) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `HEADERS on idle stream ${streamId}`);
    const call = this.#calls.get(streamId);
    if (!call || call.stream.remoteClosed) return void this.lateHeaders(streamId);
    if (tooLarge) throw new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "header list too large", { streamId });
    if (call.answered) {
      if (!block.endStream) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "trailers without END_STREAM", { streamId });
      checkTrailers(fields, streamId);
      return this.endRemote(call.stream);
    }
    const head = parseResponseHead(fields, streamId);
    if (head.status < 200) {
      if (block.endStream) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "an interim answer ends it", { streamId });
      return this.guard.spend(4, "interim answers");
    }
    const noBody = call.method === "HEAD" || head.status === 204 || head.status === 304;
    call.stream.open(noBody ? undefined : head.contentLength);
    call.answered = true;
    call.onHead(head);
    if (block.endStream) this.endRemote(call.stream);
  }

  async #call<T>(
    request: ClientRequest,
    onHead: (stream: Stream, head: ResponseHead, settle: PromiseWithResolvers<T>) => void,
  ): Promise<T> {
    const { signal } = request;
    signal?.throwIfAborted();
    if (this.#waiting.length > 0 || this.#freeStreams() <= 0) {
      await this.#freeStream(signal);
      this.#entering--;
    }
    if (this.goingAway) throw new DozoError("the connection is closed", { cause: this.#gone });
    const settle = Promise.withResolvers<T>();
    const stream = this.addStream(this.#nextStream);
    this.#nextStream += 2;
    this.#calls.set(stream.id, {
      stream,
      method: request.method,
      answered: false,
      onHead: (head) => onHead(stream, head, settle),
    });
    const onAbort = () => this.#cancel(stream, toError(signal?.reason));
    signal?.addEventListener("abort", onAbort);
    stream.onClosed = (error) => {
      signal?.removeEventListener("abort", onAbort);
      this.#calls.delete(stream.id);
      stream.releaseHeld();
      if (error) settle.reject(error);
    };
    this.guarded(() => this.#send(stream, request));
    this.update();
    return await settle.promise;
  }

  #send(stream: Stream, request: ClientRequest): void {
    const body = request.body === undefined ? [] : request.body instanceof Uint8Array ? [request.body] : request.body;
    const length = body.reduce((sum, part) => sum + part.length, 0);
    const fields: Field[] = [
      [":method", request.method],
      [":scheme", "https"],
      [":authority", AUTHORITY],
      [":path", request.path],
      ...Object.entries(request.headers ?? {}),
    ];
    if (length > 0 && request.headers?.["content-length"] === undefined) fields.push(["content-length", `${length}`]);
    this.sendHeaders(stream, fields, length === 0);
    if (length > 0) this.outbox.body(stream, body, true, () => this.endLocal(stream));
  }

  #cancel(stream: Stream, error: Error): void {
    this.guarded(() => this.resetStream(stream, ErrorCode.CANCEL, error));
    this.update();
  }

  /** Streams that may be opened now: one until the peer has told how many. */
  #freeStreams(): number {
    if (this.goingAway) return 1;
    const limit = this.ready ? Math.min(MAX_STREAMS, this.remoteSettings.maxConcurrentStreams) : 1;
    return limit - this.streams.size - this.#entering;
  }

  async #freeStream(signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    const onAbort = () => {
      this.#waiting = this.#waiting.filter((waiting) => waiting !== resolve);
      reject(toError(signal?.reason));
    };
    signal?.addEventListener("abort", onAbort);
    await promise.finally(() => signal?.removeEventListener("abort", onAbort));
  }

  #wake(): void {
    this.#entering++;
    this.#waiting.shift()?.();
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DozoError("the request was aborted", { cause: reason });
}
