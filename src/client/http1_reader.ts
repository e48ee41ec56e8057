/** Reads HTTP/1.1 answers (RFC 9112) out of a byte stream: as much as a client of a REST server needs. */
import { concatBytes } from "../base/bytes.ts";
import { DozoError, FormatError } from "../base/errors.ts";

/** A complete answer. */
export interface Http1Answer {
  readonly status: number;
  /** Lower-case names; repeated fields joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Whether the connection can carry another request. */
  readonly reusable: boolean;
}

/** Where bytes come from: the next ones (never empty), or null at the end. */
export type PullBytes = () => Promise<Uint8Array | null>;

const MAX_HEAD = 64 * 1024;
const MAX_LINE = 4096;
const LF = 0x0a;

/** The connection ended before the answer was complete. */
export class TruncatedAnswer extends DozoError {
  override readonly name = "TruncatedAnswer";
}

/** The connection ended instead of an answer. */
export class NoAnswer extends TruncatedAnswer {}

/** A buffer over {@link PullBytes}; what is read too much stays for the next answer. */
export class Http1Reader {
  readonly #pull: PullBytes;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(pull: PullBytes) {
    this.#pull = pull;
  }

  /**
   * The next answer, with at most `limit` bytes of body; answers of status 1xx are passed over. Throws
   * {@link TruncatedAnswer}, {@link FormatError} for what is no HTTP, {@link DozoError} for a body that is too long.
   */
  async answer(limit: number): Promise<Http1Answer> {
    while (true) {
      const { status, version, headers } = await this.#head();
      if (status >= 100 && status < 200) continue;
      const keeps = version === "1.1" && headers["connection"]?.toLowerCase() !== "close";
      if (status === 204 || status === 304) return { status, headers, body: new Uint8Array(0), reusable: keeps };
      if (/\bchunked$/i.test(headers["transfer-encoding"] ?? "")) {
        return { status, headers, body: await this.#chunked(limit), reusable: keeps };
      }
      const declared = headers["content-length"];
      if (declared === undefined) return { status, headers, body: await this.#rest(limit), reusable: false };
      if (!/^\d{1,15}$/.test(declared)) throw new FormatError("the server's answer has a malformed length");
      return { status, headers, body: await this.#exactly(Number(declared), limit), reusable: keeps };
    }
  }

  async #head() {
    if (this.#bytes.length === 0 && !await this.#more()) {
      throw new NoAnswer("the server closed the connection instead of answering");
    }
    let lines: string[] = [];
    for (let size = 0, line = await this.#line(); lines.length === 0 || line !== ""; line = await this.#line()) {
      size += line.length;
      if (size > MAX_HEAD) throw new FormatError("the server's answer has an endless header");
      lines = [...lines, line];
    }
    const match = /^HTTP\/(1\.[01]) ([1-5]\d\d)(?: |$)/.exec(lines[0]);
    if (!match) throw new FormatError("the server does not answer in HTTP/1.1");
    const headers: Record<string, string> = Object.create(null);
    for (const line of lines.slice(1)) {
      const colon = line.indexOf(":");
      if (colon <= 0) throw new FormatError("the server's answer has a malformed header line");
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
    return { status: Number(match[2]), version: match[1], headers };
  }

  async #chunked(limit: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let total = 0;
    while (true) {
      const size = /^([0-9a-fA-F]{1,8})\s*(?:;|$)/.exec(await this.#line())?.[1];
      if (size === undefined) throw new FormatError("the server's answer is chunked wrongly");
      const length = parseInt(size, 16);
      if (length === 0) break;
      total += length;
      parts.push(await this.#exactly(length, limit - total + length));
      if (await this.#line() !== "") throw new FormatError("the server's answer is chunked wrongly");
    }
    for (let lines = 0; await this.#line() !== ""; lines++) {
      if (lines > 100) throw new FormatError("the server's answer has an endless trailer");
    }
    return concatBytes(...parts);
  }

  async #rest(limit: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let total = 0;
    do {
      total += this.#bytes.length;
      if (total > limit) throw tooLong(limit);
      parts.push(this.#bytes);
      this.#bytes = new Uint8Array(0);
    } while (await this.#more());
    return concatBytes(...parts);
  }

  async #exactly(length: number, limit: number): Promise<Uint8Array> {
    if (length > limit) throw tooLong(limit);
    const parts: Uint8Array[] = [];
    for (let missing = length; missing > 0;) {
      if (this.#bytes.length === 0 && !await this.#more()) throw truncated();
      const part = this.#bytes.subarray(0, missing);
      this.#bytes = this.#bytes.subarray(part.length);
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 ? parts[0] : concatBytes(...parts);
  }

  async #line(): Promise<string> {
    let searched = 0;
    while (true) {
      const end = this.#bytes.indexOf(LF, searched);
      if (end >= 0) {
        const line = new TextDecoder("latin1").decode(this.#bytes.subarray(0, end));
        this.#bytes = this.#bytes.subarray(end + 1);
        return line.endsWith("\r") ? line.slice(0, -1) : line;
      }
      searched = this.#bytes.length;
      if (searched > MAX_HEAD + MAX_LINE) throw new FormatError("the server's answer has an endless line");
      if (!await this.#more()) throw truncated();
    }
  }

  async #more(): Promise<boolean> {
    const bytes = await this.#pull();
    if (bytes === null) return false;
    this.#bytes = this.#bytes.length === 0 ? bytes : concatBytes(this.#bytes, bytes);
    return true;
  }
}

function truncated(): TruncatedAnswer {
  return new TruncatedAnswer("the server closed the connection before its answer was complete");
}

function tooLong(limit: number): DozoError {
  return new DozoError(`the server's answer is longer than ${limit} bytes`);
}
