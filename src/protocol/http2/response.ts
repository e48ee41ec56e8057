/** A handler's answer as header fields and body parts. */
import type { Field } from "./hpack/dynamic_table.ts";
import type { Http2Response, ResponseBody } from "./types.ts";

/** True for a body that comes piece by piece. */
export function isPieces(body: ResponseBody | undefined): body is AsyncIterable<Uint8Array> {
  return body !== undefined && Symbol.asyncIterator in body;
}

/** Body at hand as a list of non-empty parts. */
export function responseParts(body: Exclude<ResponseBody, AsyncIterable<Uint8Array>> | undefined): Uint8Array[] {
  if (body === undefined) return [];
  const parts = body instanceof Uint8Array ? [body] : body;
  return parts.filter((part) => part.length > 0);
}

/** Header list of a response, with `content-length` when the length is known. */
export function responseFields(response: Http2Response): Field[] {
  const fields: Field[] = [[":status", String(response.status)], ...Object.entries(response.headers ?? {})];
  const known = response.headers?.["content-length"] !== undefined || response.status === 204;
  if (!known && !isPieces(response.body)) {
    const length = responseParts(response.body).reduce((sum, part) => sum + part.length, 0);
    fields.push(["content-length", String(length)]);
  }
  return fields;
}
