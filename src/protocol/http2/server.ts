/** Server role of HTTP/2 with prior knowledge on an existing socket. */
import type { Duplex } from "node:stream";
import { DozoError, errorMessage } from "../../base/errors.ts";
import { BufferPool } from "./buffer_pool.ts";
import { Http2Connection, type LocalOptions } from "./connection.ts";
import { ErrorCode, Http2Error } from "./errors.ts";
import { buildSettings } from "./frames.ts";
import type { HeaderBlock } from "./header_block.ts";
import { checkTrailers, parseRequestHead, type RequestHead } from "./header_list.ts";
import type { Field } from "./hpack/dynamic_table.ts";
import { isPieces, responseFields, responseParts } from "./response.ts";
import type { Stream } from "./stream.ts";
import type { Http2Handler, Http2Options, Http2Response, ServerConnection } from "./types.ts";

const MIB = 1024 * 1024;
/** Bytes of a streamed response that wait to be framed, above which its source is not asked for more. */
const STREAM_AHEAD = 256 * 1024;

/** Memory of answered requests that one connection keeps for the next ones, bytes. */
const POOL_SIZE = 32 * MIB;

const DEFAULTS: LocalOptions = {
  streamWindow: 32 * MIB,
  connectionWindow: 32 * MIB,
  maxFrameSize: 4 * MIB,
  maxConcurrentStreams: 200,
  maxHeaderListSize: 16384,
  receiveBudget: 96 * MIB,
  receiveLimit: 256 * MIB,
  sendBudget: 32 * MIB,
  parallelDownloads: 16,
};

/**
 * Speaks HTTP/2 as the server on `socket`, whose next bytes are the client's preface; `head` holds bytes that were
 * already read from it. Takes the socket over: it is closed when the connection ends. Settings follow
 * `spec/backup-protocol.md` §5.1. Nothing the peer does throws here or in the process; see `closed`.
 */
export function serveHttp2(
  socket: Duplex,
  head: Uint8Array,
  handler: Http2Handler,
  options: Http2Options = {},
): ServerConnection {
  const connection = new ServerSide(socket, handler, { ...DEFAULTS, ...options });
  connection.begin(head);
  return connection;
}

interface Job {
  readonly stream: Stream;
  readonly head: RequestHead;
}

class ServerSide extends Http2Connection implements ServerConnection {
  readonly pool = new BufferPool(POOL_SIZE);
  readonly #handler: Http2Handler;
  /** Requests without body that wait until others are done. */
  #waiting: Job[] = [];
  #downloads = 0;
  /** Streams whose handler runs, also when the stream is gone already. */
  readonly #unsettled = new Set<Stream>();
  #running = 0;
  #onIdle?: () => void;

  constructor(socket: Duplex, handler: Http2Handler, options: LocalOptions) {
    super(socket, options, true);
    this.#handler = handler;
  }

  begin(head: Uint8Array): void {
    const { options } = this;
    const settings = buildSettings({
      headerTableSize: 4096,
      maxConcurrentStreams: options.maxConcurrentStreams,
      initialWindowSize: options.streamWindow,
      maxFrameSize: options.maxFrameSize,
      maxHeaderListSize: options.maxHeaderListSize,
    });
    this.start([settings], head);
  }

  override isIdle(streamId: number): boolean {
    return streamId % 2 === 0 || streamId > this.lastPeerStream;
  }

  protected override isWorking(): boolean {
    for (const stream of this.#unsettled) {
      if (stream.remoteClosed || stream.closed) return true;
    }
    return false;
  }

  /** Nothing of ours is open at the client, so its GOAWAY only says that it opens nothing more. */
  protected override dropAbove(): void {}

  protected override onProgress(): void {
    const { options } = this;
    while (
      this.#waiting.length > 0 && this.#downloads < options.parallelDownloads && this.outbox.queued < options.sendBudget
    ) {
      const job = this.#waiting.shift() as Job;
      if (job.stream.closed) continue;
      this.#downloads++;
      void this.#run(job).then(() => {
        this.#downloads--;
        this.update();
      });
    }
  }

  protected override async finished(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#onIdle = resolve);
  }

  override onHeaders(block: HeaderBlock, fields: Field[], tooLarge: boolean): void {
    const { streamId } = block;
    const known = this.streams.get(streamId);
    if (known) return this.#onTrailers(known, block, fields);
    if (streamId % 2 === 0) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `a client cannot open stream ${streamId}`);
    if (streamId <= this.lastPeerStream) {
      if (this.lateHeaders(streamId)) return;
      throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `stream ${streamId} opened behind ${this.lastPeerStream}`);
    }
    this.lastPeerStream = streamId;
    const { maxConcurrentStreams } = this.options;
    // Handlers of streams that the peer has reset go on for a while, but a peer cannot pile them up.
    const full = this.streams.size >= maxConcurrentStreams || this.#running >= 2 * maxConcurrentStreams;
    if (this.goingAway || full) {
      return this.refuseStream(streamId, ErrorCode.REFUSED_STREAM);
    }
    const stream = this.addStream(streamId);
    if (tooLarge) {
      stream.open();
      stream.body.abandon();
      this.sendHeaders(stream, [[":status", "431"], ["content-length", "0"]], true);
      if (block.endStream) this.endRemote(stream);
      return;
    }
    const head = parseRequestHead(fields, streamId);
    stream.open(head.contentLength);
    if (block.endStream) this.endRemote(stream);
    if (stream.closed) return;
    if (block.endStream) this.#waiting.push({ stream, head });
    else void this.#run({ stream, head });
  }

  #onTrailers(stream: Stream, block: HeaderBlock, fields: Field[]): void {
    const { streamId } = block;
    if (stream.remoteClosed) throw new Http2Error(ErrorCode.STREAM_CLOSED, `HEADERS on half-closed stream ${streamId}`);
    if (!block.endStream) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "trailers without END_STREAM", { streamId });
    checkTrailers(fields, streamId);
    this.endRemote(stream);
  }

  /** Runs the handler and sends what it answers. Never rejects. */
  async #run({ stream, head }: Job): Promise<void> {
    this.#running++;
    this.#unsettled.add(stream);
    let abort: AbortController | undefined;
    stream.onClosed = (error) => {
      stream.releaseHeld();
      if (error) abort?.abort(error);
    };
    let response: Http2Response;
    try {
      response = await this.#handler({
        ...head,
        body: stream.body,
        get signal() {
          abort ??= new AbortController();
          if (stream.closed) abort.abort();
          return abort.signal;
        },
      });
    } catch (error) {
      response = errorResponse(error);
    }
    this.#unsettled.delete(stream);
    stream.body.abandon();
    stream.releaseHeld();
    try {
      await this.#respond(stream, head.method, response);
    } catch (error) {
      this.guarded(() => {
        throw error;
      });
    }
    this.#running--;
    if (this.#running === 0) this.#onIdle?.();
    this.update();
  }

  async #respond(stream: Stream, method: string, response: Http2Response): Promise<void> {
    const { body } = response;
    const noBody = method === "HEAD" || response.status === 204 || response.status === 304;
    if (stream.closed || this.ended) {
      if (isPieces(body)) await stopPieces(body);
      return;
    }
    if (isPieces(body)) {
      this.guarded(() => this.sendHeaders(stream, responseFields(response), noBody));
      await (noBody ? stopPieces(body) : this.#sendPieces(stream, body));
      return;
    }
    const parts = noBody ? [] : responseParts(body);
    this.guarded(() => {
      this.sendHeaders(stream, responseFields(response), parts.length === 0);
      if (parts.length > 0) this.outbox.body(stream, parts, true, () => this.endLocal(stream));
    });
  }

  async #sendPieces(stream: Stream, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const outgoing = this.outbox.body(stream, [], false, () => this.endLocal(stream));
    let wake = () => {};
    outgoing.onProgress = () => wake();
    const onClosed = stream.onClosed;
    stream.onClosed = (error) => {
      onClosed?.(error);
      wake();
    };
    try {
      for await (const piece of pieces) {
        if (stream.closed) return;
        this.outbox.extend(outgoing, piece);
        this.update();
        while (outgoing.left > STREAM_AHEAD && !stream.closed) {
          await new Promise<void>((resolve) => wake = resolve);
        }
        if (stream.closed) return;
      }
      outgoing.complete = true;
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      this.guarded(() => this.resetStream(stream, ErrorCode.INTERNAL_ERROR, cause));
    }
  }
}

/** Ends a source that nobody reads. */
async function stopPieces(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await pieces[Symbol.asyncIterator]().return?.();
  } catch {
    // Its reader is gone, so there is nobody to tell.
  }
}

function errorResponse(error: unknown): Http2Response {
  const known = error instanceof DozoError;
  const text = known ? errorMessage(error) : "internal server error";
  return {
    status: known ? error.status : 500,
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: new TextEncoder().encode(text),
  };
}
