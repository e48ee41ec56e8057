import assert from "node:assert/strict";
import { z } from "zod";
import type { Method } from "./method.ts";
import { METHODS } from "./table.ts";

interface Parameter {
  readonly type: string;
  readonly optional?: boolean;
  readonly enum?: readonly string[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

interface Recorded {
  readonly api: string;
  readonly path: string;
  readonly method: string;
  readonly parameters: Record<string, Parameter>;
  readonly permissions: unknown;
  readonly protected: boolean;
  readonly upid: boolean;
}

const SCHEMA: Recorded[] = JSON.parse(
  Deno.readTextFileSync(new URL("../../test/vectors/spec/api-schema.json", import.meta.url)),
);

/** Where the table differs on purpose. */
const KNOWN: Readonly<Record<string, string>> = {
  "POST /access/ticket: password maxLength": "a bound where PBS has none",
  "GET /admin/datastore/{store}/catalog: filepath maxLength": "a bound where PBS has none",
  "GET /admin/datastore/{store}/pxar-file-download: filepath maxLength": "a bound where PBS has none",
  "GET /nodes/{node}/tasks: limit minimum": "PBS refuses negative numbers too, with another text",
  "GET /nodes/{node}/tasks: start minimum": "PBS refuses negative numbers too, with another text",
  ...Object.fromEntries(
    ["DELETE /nodes/{node}/tasks/{upid}", "GET /nodes/{node}/tasks/{upid}/status", "GET /nodes/{node}/tasks/{upid}/log"]
      .map((method) => [`${method}: upid maxLength`, "a UPID is a file name, which has at most 255 bytes"]),
  ),
  ...Object.fromEntries(
    ["POST /config/datastore", "PUT /config/datastore/{name}"].flatMap((method) => [
      [`${method}: gc-schedule minLength`, "an empty schedule is none"],
      [`${method}: gc-schedule maxLength`, "a bound where PBS has none"],
    ]),
  ),
};

/** Parameters of things that are not there yet: removable and S3 datastores, prune jobs. */
const LATER = new Set([
  "backend",
  "backing-device",
  "counter-reset-schedule",
  "gc-on-unmount",
  "keep-daily",
  "keep-hourly",
  "keep-last",
  "keep-monthly",
  "keep-weekly",
  "keep-yearly",
  "notification-thresholds",
  "overwrite-in-use",
  "prune-schedule",
]);

/** JSON text with sorted members. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([name, one]) => `${name}:${canonical(one)}`).join()
  }}`;
}

function differences(method: Method, recorded: Recorded): string[] {
  const found: string[] = [];
  const schema = z.toJSONSchema(method.params, { io: "input", unrepresentable: "any" });
  const own = (schema.properties ?? {}) as Record<string, Parameter>;
  const required = new Set(schema.required ?? []);
  if (method.kind !== "upgrade") {
    for (const name of Object.keys(own)) {
      if (!Object.hasOwn(recorded.parameters, name)) found.push(`${name} is unknown`);
    }
    for (const [name, parameter] of Object.entries(recorded.parameters)) {
      const mine = own[name];
      if (!mine) {
        if (!LATER.has(name)) found.push(`${name} is missing`);
        continue;
      }
      if ((parameter.optional ?? false) === required.has(name)) found.push(`${name} optional`);
      if (parameter.type !== mine.type) found.push(`${name} type`);
      if (canonical([...parameter.enum ?? []].sort()) !== canonical([...mine.enum ?? []].sort())) {
        found.push(`${name} enum`);
      }
      for (const limit of ["minLength", "maxLength", "minimum", "maximum"] as const) {
        const unbounded = Math.abs(mine[limit] ?? 0) >= Number.MAX_SAFE_INTEGER;
        if (!unbounded && parameter[limit] !== mine[limit]) found.push(`${name} ${limit}`);
      }
    }
  }
  if (canonical(recorded.permissions) !== canonical(method.permission)) found.push("permission");
  if (recorded.protected !== (method.protected ?? false)) found.push("protected");
  if (recorded.upid !== (method.task ?? false)) found.push("task");
  return found;
}

Deno.test("every method has the recorded parameters, limits and permission", () => {
  const all: string[] = [];
  for (const method of METHODS) {
    const recorded = SCHEMA.find((one) =>
      one.api === "management" && one.path === method.path && one.method === method.verb
    );
    if (!recorded) all.push(`${method.verb} ${method.path}: PBS has no such method`);
    else all.push(...differences(method, recorded).map((one) => `${method.verb} ${method.path}: ${one}`));
  }
  assert.deepEqual(all.filter((one) => !Object.hasOwn(KNOWN, one)), []);
  assert.deepEqual(Object.keys(KNOWN).filter((one) => !all.includes(one)), [], "these differences are gone");
});
