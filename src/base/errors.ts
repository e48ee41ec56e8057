/**
 * The one error type that people see: it says what was tried, on what, and what to do,
 * and carries the HTTP status under which the API reports it.
 */
export class DozoError extends Error {
  override readonly name: string = "DozoError";
  /** HTTP status of the API answer; 400 where nothing more precise is true. */
  readonly status: number;

  constructor(message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status ?? 400;
  }
}

/** Bytes from outside that are not what the format allows. `offset` is the byte position of the fault, where known. */
export class FormatError extends DozoError {
  override readonly name = "FormatError";
  readonly offset?: number;

  constructor(message: string, options: { offset?: number; cause?: unknown } = {}) {
    super(options.offset === undefined ? message : `${message} (at offset ${options.offset})`, options);
    this.offset = options.offset;
  }
}

/** The message of anything thrown, without a stack trace. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
