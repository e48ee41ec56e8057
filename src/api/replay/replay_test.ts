import assert from "node:assert/strict";
import { METHODS } from "../table.ts";
import { type ApiResponse } from "../exchange.ts";
import { pathComponents, Router } from "../router.ts";
import { structureFault } from "./compare.ts";
import list from "./deviations.json" with { type: "json" };
import { Fixture, type RecordedCall, recordedCalls } from "./fixture.ts";

const deviations: readonly { file: string; call: string; reason: string }[] = list;

/** Whether the method that a recorded call wants is in the table, or the call is about what lies before methods. */
function isCovered(router: Router, call: RecordedCall): boolean {
  if (!call.url.startsWith("/api2")) return false;
  if (call.req_body?.endsWith("…") || call.req_body?.includes("… (repeated")) return false;
  const path = call.url.split("?", 1)[0];
  let components: string[];
  try {
    components = pathComponents(path);
  } catch {
    return true;
  }
  if (components.length < 2 || !["json", "extjs"].includes(components[1])) return true;
  const match = router.find(components.slice(2));
  const verb = call.method as "GET" | "POST" | "PUT" | "DELETE";
  if (match?.node.methods.has(verb)) return true;
  if (call.status === 404) return match === undefined || match.node.methods.size > 0;
  return call.status === 401 && call.auth === null;
}

async function textOf(response: ApiResponse): Promise<string> {
  if (typeof response.body === "string") return response.body;
  if (response.body instanceof Uint8Array) return new TextDecoder("latin1").decode(response.body);
  let text = "";
  for await (const part of response.body) text += new TextDecoder("latin1").decode(part);
  return text;
}

/** Why an answer is not like the recorded one; undefined when it is. */
async function faultOf(call: RecordedCall, response: ApiResponse): Promise<string | undefined> {
  const text = await textOf(response);
  if (response.status !== call.status) {
    return `status ${call.status} expected, got ${response.status} ${text.slice(0, 200)}`;
  }
  if (call.json !== undefined && call.headers["content-type"] !== "application/octet-stream") {
    const fault = structureFault(call.json, JSON.parse(text));
    if (fault) return fault;
    const message = (call.json as { message?: string }).message;
    if (message !== undefined && message !== JSON.parse(text).message) {
      return `message '${message}' expected, got ${text}`;
    }
  } else if (call.status >= 400 && call.method !== "HEAD" && call.text !== undefined && call.text !== text) {
    return `'${call.text}' expected, got '${text}'`;
  }
  const delay = (call.seconds ?? 0) >= 2.5
    ? 3000
    : (call.seconds ?? 0) >= 0.45 && call.status === 403
    ? 500
    : undefined;
  if (delay !== undefined && response.delay !== delay) return `delay of ${delay} ms expected, got ${response.delay}`;
  if (
    call.headers["set-cookie"] && call.status === 401 && call.headers["set-cookie"] !== response.headers["set-cookie"]
  ) {
    return `cookie ${call.headers["set-cookie"]} expected, got ${response.headers["set-cookie"]}`;
  }
  return undefined;
}

/** When a recorded credential was made, so that it is neither old nor from the future. */
function timeOf(call: RecordedCall): number | undefined {
  const text = decodeURIComponent(
    (call.req_headers?.Cookie ?? "") +
      (call.req_body ?? "").replaceAll("+", " ").replaceAll(/%(?![0-9A-Fa-f]{2})/g, ""),
  );
  const stamps = [...text.matchAll(/:(6B01[0-9A-F]{4})::/g)].map((match) => parseInt(match[1], 16));
  return stamps.length > 0 ? Math.max(...stamps) + 1 : undefined;
}

async function replay(file: string, wanted: (call: RecordedCall) => boolean): Promise<number> {
  const fixture = await Fixture.make();
  try {
    let count = 0;
    const faults: string[] = [];
    const unused = new Set(deviations.filter((one) => one.file === file).map((one) => one.call));
    const quiet = console.error;
    console.error = () => {};
    try {
      for (const call of recordedCalls(file)) {
        if (!wanted(call) || !isCovered(fixture.api.router, call)) continue;
        count++;
        fixture.now = timeOf(call) ?? 1795266830;
        const name = `${call.method} ${call.url}${call.note ? ` (${call.note})` : ""}`;
        const fault = await faultOf(call, await fixture.send(call));
        if (fault === undefined) continue;
        if (deviations.some((one) => one.file === file && one.call === name)) unused.delete(name);
        else faults.push(`${name} as ${call.auth}: ${fault}`);
      }
    } finally {
      console.error = quiet;
    }
    assert.deepEqual(faults, [], `${faults.length} of ${count} answers differ`);
    assert.deepEqual([...unused], [], "these deviations are gone: take them off the list");
    return count;
  } finally {
    await fixture.close();
  }
}

Deno.test("BP-31 recorded REST calls get the recorded status, structure, error text and delay", async () => {
  assert.ok(await replay("rest/samples.jsonl", () => true) > 90);
});

Deno.test("US-13 recorded credentials, good and bad, are accepted and refused like recorded", async () => {
  assert.ok(await replay("rest/auth.jsonl", () => true) > 60);
});

Deno.test("recorded task lists, states and logs are answered like recorded", async () => {
  assert.ok(await replay("tasks/api.jsonl", (call) => call.url.includes("/nodes/localhost/tasks")) > 25);
});

Deno.test("the table has no method twice and every path parameter is declared", () => {
  const router = new Router(METHODS);
  for (const { path, params } of router.methods) {
    for (const [, name] of path.matchAll(/\{([^}]+)\}/g)) {
      assert.ok(Object.hasOwn(params.shape, name), `${path} does not declare ${name}`);
    }
  }
});
