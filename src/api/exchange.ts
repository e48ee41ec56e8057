/** Request and response as the API sees them, whatever carries them. */
import { errorMessage } from "../base/errors.ts";
import { DozoError } from "../base/errors.ts";
import { ParameterError } from "../config/schema/mod.ts";
import type { UpgradeResult } from "./method.ts";

/** One request. */
export interface ApiRequest {
  readonly verb: string;
  /** Path and query as sent. */
  readonly target: string;
  /** Headers by lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** `[ip]:port` */
  readonly peer: string;
  readonly body: AsyncIterable<Uint8Array>;
  /** `1.1` and the like. */
  readonly httpVersion: string;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/** One response. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array>;
  /** The session to hand the socket to, in place of this response, when the request asked for an upgrade. */
  readonly upgrade?: UpgradeResult;
  /** Who asked, for the access log. */
  readonly authid?: string;
  /** Error text, for the log. */
  readonly error?: string;
  /** Time since the request's start before which the response must not be sent, milliseconds. */
  readonly delay?: number;
}

/** Output format of an API call. */
export type Format = "json" | "extjs";

const JSON_TYPE = "application/json;charset=UTF-8";

/** A successful answer with `data` and the attributes beside it. */
export function jsonResponse(
  format: Format,
  data: unknown,
  attributes: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): ApiResponse {
  const body = { data: data ?? null, ...attributes, ...(format === "extjs" ? { status: 200, success: true } : {}) };
  return { status: 200, headers: { "content-type": JSON_TYPE, ...headers }, body: JSON.stringify(body) };
}

/** Status and text of anything thrown. What nobody foresaw is a 500 that hides its text; the log has it. */
export function describeError(error: unknown): { status: number; message: string } {
  if (error instanceof DozoError) return { status: error.status, message: error.message };
  if (
    error instanceof Error &&
    (error.constructor !== Error && Object.values(Deno.errors).some((kind) => error instanceof kind))
  ) {
    return { status: 400, message: errorMessage(error) };
  }
  return { status: 500, message: "internal error - the server's log says more" };
}

/** The answer for a failed call (`spec/rest-conventions.md` §5). */
export function errorResponse(format: Format, error: unknown): ApiResponse {
  const { status, message } = describeError(error);
  if (format === "json") return { status, headers: { "content-type": JSON_TYPE }, body: message, error: message };
  const parameters = error instanceof ParameterError;
  const body = {
    errors: parameters ? Object.fromEntries(error.errors) : {},
    message: parameters ? "parameter verification errors" : message,
    status,
    success: false,
  };
  return { status: 200, headers: { "content-type": JSON_TYPE }, body: JSON.stringify(body), error: message };
}

/** A text answer without a format. */
export function plainResponse(status: number, text: string): ApiResponse {
  return { status, headers: { "content-type": JSON_TYPE }, body: text, error: text };
}
