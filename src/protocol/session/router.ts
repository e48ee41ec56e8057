/** Routing, parameters and answers of the HTTP/2 part of a session (`spec/backup-protocol.md` §5). */
import type { z } from "zod";
import { DozoError, errorMessage } from "../../base/errors.ts";
import { checkForm, checkJson, parseJson } from "../../config/schema/mod.ts";
import type { Http2Handler, Http2Request, Http2Response, RequestBody, ResponseBody } from "../http2/types.ts";
import type { SessionLog } from "./types.ts";

/** Largest body of a call whose parameters are in the body. */
const MAX_PARAMETER_BYTES = 512 * 1024;
const JSON_TYPE = "application/json;charset=UTF-8";
const FORM_TYPE = "application/x-www-form-urlencoded";
const UNAUTHORIZED_DELAY_MS = 3000;

/** A file or chunk as the answer of a call; everything else becomes `{"data": …}`. */
export class RawAnswer {
  constructor(readonly body: ResponseBody) {}
}

/** One call: where its parameters come from, what they are, and what it does. Made by {@link call} and {@link dataCall}. */
export interface Call {
  readonly run: (request: Http2Request, query: URLSearchParams) => Promise<unknown>;
}

/** A call with parameters in the query and in a form or JSON body. */
export function call<S extends z.ZodObject>(schema: S, run: (parameters: z.output<S>) => unknown): Call {
  return {
    run: async (request, query) => await run(await parametersOf(schema, request, query)),
  };
}

/** A call with parameters in the query only; the body is data. */
export function dataCall<S extends z.ZodObject>(
  schema: S,
  run: (parameters: z.output<S>, body: RequestBody) => unknown,
): Call {
  return { run: async (request, query) => await run(checkForm(schema, query), request.body) };
}

async function parametersOf<S extends z.ZodObject>(
  schema: S,
  request: Http2Request,
  query: URLSearchParams,
): Promise<z.output<S>> {
  const type = request.headers.get("content-type")?.split(";")[0].trim().toLowerCase();
  if (type !== undefined && type !== FORM_TYPE && type !== "application/json") {
    throw new DozoError(`unsupported content type Ok("${type}")`);
  }
  const body = await textOf(request);
  if (type !== "application/json") return checkForm(schema, [...new URLSearchParams(body), ...query]);
  try {
    return checkJson(schema, body === "" ? {} : parseJson(body));
  } catch (error) {
    if (error instanceof SyntaxError) throw new DozoError(`request body is not valid JSON: ${error.message}`);
    throw error;
  }
}

async function textOf(request: Http2Request): Promise<string> {
  if (request.method === "GET") return "";
  if (Number(request.headers.get("content-length") ?? 0) > MAX_PARAMETER_BYTES) {
    throw new DozoError("Request body too large");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await request.body.readAll(MAX_PARAMETER_BYTES));
  } catch (error) {
    if (error instanceof TypeError) throw new DozoError("request body is not valid UTF-8");
    throw error;
  }
}

/** Components of a path joined by `/`. Throws 400 for one that begins with a dot or is badly encoded. */
export function routeOf(path: string): string {
  const components = path.split("/").filter((component) => component !== "").map(decoded);
  if (components.some((component) => component.startsWith("."))) {
    throw new DozoError("path contains illegal components");
  }
  return components.join("/");
}

function decoded(component: string): string {
  try {
    return decodeURIComponent(component);
  } catch {
    throw new DozoError("path contains a malformed percent encoding");
  }
}

/**
 * Answers requests from a table of calls (`"POST blob"`). Errors become plain text with their status and a line in
 * the log; before a 401 passes `unauthorizedDelay` (ms). `GET /` lists the calls.
 */
export function sessionHandler(
  calls: Readonly<Record<string, Call>>,
  log: SessionLog,
  unauthorizedDelay = UNAUTHORIZED_DELAY_MS,
): Http2Handler {
  const subdirs = [...new Set(Object.keys(calls).map((name) => name.split(" ")[1]))].sort();
  const listing = subdirs.map((subdir) => ({ subdir }));

  const answer = async (request: Http2Request): Promise<unknown> => {
    const mark = request.path.indexOf("?");
    const path = mark < 0 ? request.path : request.path.slice(0, mark);
    const route = routeOf(path);
    if (route === "" && request.method === "GET") return listing;
    const name = `${request.method} ${route}`;
    if (!Object.hasOwn(calls, name)) throw new DozoError(`Path '/${route}' not found.`, { status: 404 });
    return await calls[name].run(request, new URLSearchParams(mark < 0 ? "" : request.path.slice(mark + 1)));
  };

  return async (request): Promise<Http2Response> => {
    try {
      const result = await answer(request);
      if (result instanceof RawAnswer) {
        return { status: 200, headers: { "content-type": "application/octet-stream" }, body: result.body };
      }
      return jsonAnswer({ data: result ?? null });
    } catch (error) {
      if (error instanceof DozoError && error.status === 401) {
        await new Promise((resolve) => setTimeout(resolve, unauthorizedDelay));
      }
      return errorAnswer(error, request, log);
    }
  };
}

function jsonAnswer(value: unknown): Http2Response {
  return {
    status: 200,
    headers: { "content-type": JSON_TYPE },
    body: new TextEncoder().encode(JSON.stringify(value)),
  };
}

function errorAnswer(error: unknown, request: Http2Request, log: SessionLog): Http2Response {
  const status = error instanceof DozoError ? error.status : 500;
  const path = request.path.split("?", 1)[0];
  log.line(`${request.method} ${path}: ${status}: ${errorMessage(error)}`);
  return {
    status,
    headers: { "content-type": JSON_TYPE },
    body: new TextEncoder().encode(error instanceof DozoError ? error.message : "internal error"),
  };
}
