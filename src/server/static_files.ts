/** What lies outside the API (`spec/rest-conventions.md` §10). */
import type { ApiResponse } from "../api/exchange.ts";
import { DOZO_VERSION } from "../base/version.ts";

const PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>dozo</title>
<body style="font-family: sans-serif; max-width: 40em; margin: 4em auto">
<h1>dozo ${DOZO_VERSION}</h1>
<p>This backup server is running. Clients reach it under this address; the API begins at <code>/api2/json</code>.</p>
</body></html>
`;

/** The answer to a request whose path does not begin with `/api2`. */
export function staticAnswer(verb: string | undefined, target: string): ApiResponse {
  if (verb !== "GET" && verb !== "HEAD") return failure(400, "invalid http method for path");
  const path = target.split("?", 1)[0];
  if (path === "/") {
    return {
      status: 200,
      headers: {
        "content-type": "text/html",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
      },
      body: PAGE,
    };
  }
  return failure(404, `no such file: '${path.replace(/^\/+/, "").slice(0, 200)}'`);
}

function failure(status: number, message: string): ApiResponse {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: message, error: message };
}
