/** A request's way through the API: routing, authentication, permission, parameters, handler, answer (`spec/rest-conventions.md` §2). */
import { AuthError } from "../access/access_control.ts";
import type { Caller } from "../access/caller.ts";
import { EXPIRED_COOKIE } from "../access/credentials.ts";
import { DozoError } from "../base/errors.ts";
import { checkForm, checkJson } from "../config/schema/mod.ts";
import { bodyParameters, formPairs, readBody } from "./body.ts";
import {
  type ApiRequest,
  type ApiResponse,
  errorResponse,
  type Format,
  jsonResponse,
  plainResponse,
} from "./exchange.ts";
import { JsonResult, type Method, RawResult, type RequestContext, UpgradeResult, type Verb } from "./method.ts";
import { isPermitted, isWorld } from "./permission.ts";
import { type Match, pathComponents, type PathNode, Router } from "./router.ts";
import type { Services } from "./services.ts";

const MAX_TARGET = 3072;
/** Milliseconds that slow down guessing (§5.5). */
const DELAY = { unauthenticated: 3000, forbidden: 500 } as const;
const VERBS: ReadonlySet<string> = new Set<Verb>(["GET", "POST", "PUT", "DELETE"]);

/** All methods of the API, ready to answer requests. */
export class Api {
  readonly router: Router;

  constructor(methods: readonly Method[], readonly services: Services) {
    this.router = new Router(methods);
  }

  /** True for paths that belong to the API. */
  static owns(target: string): boolean {
    return /^\/+api2(?:[/?]|$)/.test(target);
  }

  /** Answers one request. Never rejects: every failure is a response. */
  async answer(request: ApiRequest): Promise<ApiResponse> {
    if (request.target.length > MAX_TARGET) return { status: 414, headers: {}, body: "", error: "URI too long" };
    const [path, query = ""] = splitOnce(request.target, "?");
    let components: string[];
    try {
      components = pathComponents(path);
    } catch (error) {
      return errorResponse("json", error);
    }
    if (components.length < 2) return plainResponse(404, `invalid api path '/${components.join("/")}'`);
    const format = components[1];
    if (format !== "json" && format !== "extjs") return plainResponse(400, `Unsupported output format '${format}'.`);
    return await this.#route(request, format, components, query);
  }

  async #route(request: ApiRequest, format: Format, components: string[], query: string): Promise<ApiResponse> {
    const match = this.router.find(components.slice(2));
    const method = match && VERBS.has(request.verb) ? match.node.methods.get(request.verb as Verb) : undefined;
    let caller: Caller | undefined;
    if (!method || !isWorld(method.permission)) {
      try {
        caller = await this.services.access.authenticate({
          cookie: request.headers.cookie,
          authorization: request.headers.authorization,
          csrf: request.headers.csrfpreventiontoken,
          verb: request.verb,
          peer: request.peer,
        });
      } catch (error) {
        return unauthenticated(error);
      }
    }
    const authid = caller?.authid;
    try {
      if (method) return { ...await this.#call(method, match as Match, request, format, query, caller), authid };
      const index = match && request.verb === "GET" ? directoryIndex(match.node) : undefined;
      if (index) return { ...jsonResponse(format, index), authid };
      throw new DozoError(`Path '/${components.join("/")}' not found.`, { status: 404 });
    } catch (error) {
      if (!(error instanceof DozoError)) console.error(`${request.verb} /${components.join("/")}:`, error);
      return { ...refused(error, format), authid };
    }
  }

  async #call(
    method: Method,
    match: Match,
    request: ApiRequest,
    format: Format,
    query: string,
    caller: Caller | undefined,
  ): Promise<ApiResponse> {
    if (caller && !isPermitted(method.permission, caller, new Map(match.placeholders))) {
      return {
        ...errorResponse(format, new DozoError("permission check failed", { status: 403 })),
        delay: DELAY.forbidden,
      };
    }
    const params = await parametersOf(method, match, request, query);
    const result = await method.handler(params, contextFor(this.services, request, query, caller));
    if (result instanceof RawResult) return { status: 200, headers: result.headers, body: result.body };
    if (result instanceof UpgradeResult) return { status: 101, headers: {}, body: "", upgrade: result };
    if (result instanceof JsonResult) return jsonResponse(format, result.data, result.attributes, result.headers);
    return jsonResponse(format, result);
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function unauthenticated(error: unknown): ApiResponse {
  const known = error instanceof AuthError;
  if (!known) console.error("authentication:", error);
  return {
    status: 401,
    headers: { "set-cookie": EXPIRED_COOKIE },
    body: known ? error.message : "authentication failed",
    error: known ? `${error.message} - ${error.reason}` : "authentication failed",
    delay: DELAY.unauthenticated,
  };
}

/** The answer to an error out of a handler; a failed login is slowed down like a missing one. */
function refused(error: unknown, format: Format): ApiResponse {
  const response = errorResponse(format, error);
  if (!(error instanceof AuthError)) return response;
  const headers = format === "json" ? { ...response.headers, "set-cookie": EXPIRED_COOKIE } : response.headers;
  return { ...response, headers, error: `${error.message} - ${error.reason}`, delay: DELAY.unauthenticated };
}

async function parametersOf(
  method: Method,
  match: Match,
  request: ApiRequest,
  query: string,
): Promise<Record<string, unknown>> {
  if (method.kind === "upgrade") return {};
  const queryPairs = formPairs(query);
  if (method.kind === "upload") return checkForm(method.params, [...queryPairs, ...match.placeholders]);
  const body = await bodyParameters(request.headers["content-type"], request.body);
  if ("json" in body) return checkJson(method.params, body.json, match.placeholders);
  return checkForm(method.params, [...body.pairs, ...queryPairs, ...match.placeholders]);
}

function contextFor(
  services: Services,
  request: ApiRequest,
  query: string,
  caller: Caller | undefined,
): RequestContext {
  return {
    services,
    get caller() {
      if (!caller) throw new AuthError("authentication failed", "the call needs a login");
      return caller;
    },
    peer: request.peer,
    header: (name) => request.headers[name],
    query,
    httpVersion: request.httpVersion,
    readBody: (limit) => readBody(request.body, limit),
    signal: request.signal,
  };
}

/** Names below an inner node that has no method of its own; undefined for a leaf. */
function directoryIndex(node: PathNode): { subdir: string }[] | undefined {
  if (node.children.size === 0) return undefined;
  return [...node.children.keys()].sort().map((subdir) => ({ subdir }));
}
