/** Reading request bodies within a limit, and the parameters they hold (`spec/rest-conventions.md` §3). */
import { concatBytes } from "../base/bytes.ts";
import { DozoError } from "../base/errors.ts";
import { parseJson } from "../config/schema/mod.ts";

/** Longest body with parameters, bytes. */
export const MAX_PARAMETER_BODY = 512 << 10;

/** The whole body. Throws 400 as soon as it is longer than `limit` bytes. */
export async function readBody(body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > limit) throw new DozoError("Request body too large");
    parts.push(part);
  }
  return concatBytes(...parts);
}

/** Parameters of a body: names with texts, or a JSON value. */
export type BodyParameters = { readonly pairs: [string, string][] } | { readonly json: unknown };

/** Names and values of a query or form text. Bad percent-encoding stays as it is. */
export function formPairs(text: string): [string, string][] {
  return text === "" ? [] : [...new URLSearchParams(text)];
}

/** Reads the parameters in a body by its content type. Throws 400 on another type, bad JSON or a body that is too long. */
export async function bodyParameters(
  contentType: string | undefined,
  body: AsyncIterable<Uint8Array>,
): Promise<BodyParameters> {
  const bytes = await readBody(body, MAX_PARAMETER_BODY);
  const type = contentType?.split(";")[0].trim().toLowerCase();
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new DozoError("request body is not valid UTF-8");
  }
  if (type === "application/json") {
    try {
      return { json: text.trim() === "" ? {} : parseJson(text) };
    } catch (error) {
      throw new DozoError(`unable to parse the JSON body: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (type === undefined || type === "" || type === "application/x-www-form-urlencoded") {
    return { pairs: formPairs(text) };
  }
  if (bytes.length === 0) return { pairs: [] };
  throw new DozoError(`unsupported content type Ok(${JSON.stringify(contentType)})`);
}
