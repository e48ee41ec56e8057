import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import * as s from "./mod.ts";

const PRUNE_UPDATE = z.object({
  id: s.text({ min: 3, max: 32, pattern: s.SAFE_ID_PATTERN }),
  comment: s.comment().optional(),
  delete: s.list(s.choice(["comment", "keep-last"])).optional(),
  disable: s.flag(),
  "keep-last": s.integer(1).optional(),
  ratio: z.number().optional(),
});

function message(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  return "no error";
}

const form = (...pairs: [string, string][]) => message(() => s.checkForm(PRUNE_UPDATE, [["id", "abc"], ...pairs]));
const json = (body: string) => message(() => s.checkJson(PRUNE_UPDATE, s.parseJson(body), [["id", "abc"]]));

Deno.test("form parameters are converted by their schema and defaults are filled in", () => {
  const given: [string, string][] = [
    ["id", "p-1"],
    ["keep-last", "7"],
    ["delete", "comment"],
    ["disable", "On"],
    ["ratio", "1.5"],
    ["_dc", "99"],
  ];
  assert.deepEqual({ ...s.checkForm(PRUNE_UPDATE, given) }, {
    id: "p-1",
    "keep-last": 7,
    delete: ["comment"],
    disable: true,
    ratio: 1.5,
  });
  assert.equal(s.checkForm(PRUNE_UPDATE, [["id", "p-1"]]).disable, false);
});

Deno.test("form faults carry the texts of PBS", () => {
  const one = "parameter verification failed - ";
  assert.equal(
    form(["keep-last", "x"], ["foo", "1"]),
    "parameter verification failed:\n- 'keep-last': invalid digit found in string\n- 'foo': schema does not allow additional properties.",
  );
  assert.equal(form(["keep-last", "0"]), `${one}'keep-last': value must have a minimum value of 1 (got 0)`);
  assert.equal(form(["keep-last", ""]), `${one}'keep-last': cannot parse integer from empty string`);
  assert.equal(form(["id", "abc"]), `${one}'id': duplicate parameter.`);
  assert.equal(form(["disable", "2"]), `${one}'disable': Unable to parse boolean option.`);
  assert.equal(form(["delete", "x"]), `${one}'delete': value 'x' is not defined in the enumeration.`);
  assert.equal(form(["comment", "x".repeat(129)]), `${one}'comment': value may only be 128 characters long`);
  assert.equal(form(["comment", "💾".repeat(128)]), "no error");
  assert.equal(form(["comment", "a\nb"]), `${one}'comment': value does not match the regex pattern`);
  assert.equal(form(["__proto__", "x"]), `${one}'__proto__': schema does not allow additional properties.`);
  assert.equal(
    message(() => s.checkForm(PRUNE_UPDATE, [["id", "-"]])),
    `${one}'id': value must be at least 3 characters long`,
  );
  assert.equal(
    message(() => s.checkForm(z.object({ b: s.storeName(), a: s.backupTime() }), [])),
    "parameter verification failed:\n- 'a': parameter is missing and it is not optional.\n- 'b': parameter is missing and it is not optional.",
  );
});

Deno.test("JSON faults carry the texts of PBS", () => {
  const one = "parameter verification failed - ";
  assert.equal(json('{"keep-last":"7"}'), `${one}'keep-last': Expected integer value.`);
  assert.equal(json('{"keep-last":7.0}'), `${one}'keep-last': Expected integer value.`);
  assert.equal(json('{"keep-last":1e2}'), `${one}'keep-last': Expected integer value.`);
  assert.equal(json('{"keep-last":7,"ratio":7.0}'), "no error");
  assert.equal(json('{"comment":null}'), `${one}'comment': Expected string value.`);
  assert.equal(json('{"disable":1}'), `${one}'disable': Expected boolean value.`);
  assert.equal(json('{"delete":"comment"}'), `${one}'delete': Expected array - got scalar value.`);
  assert.equal(json('{"foo":1}'), `${one}'foo': schema does not allow additional properties`);
  assert.equal(json('{"id":"abc"}'), `${one}'id': duplicate parameter.`);
  assert.equal(
    message(() => s.checkJson(z.object({ "offset-list": s.list(s.integer(0)) }), { "offset-list": [-4194304] })),
    `${one}'offset-list/[0]': value must have a minimum value of 0 (got -4194304)`,
  );
  assert.equal(
    message(() => s.checkJson(z.object({ "archive-name": s.archiveName() }), {})),
    `${one}'archive-name': property is missing and it is not optional`,
  );
});

Deno.test("whatever is sent, the checker either accepts it or throws a ParameterError", () => {
  const names = fc.constantFrom(
    "id",
    "comment",
    "delete",
    "disable",
    "keep-last",
    "ratio",
    "__proto__",
    "toString",
    "",
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(names, fc.string({ unit: "binary" }))), (pairs) => {
      try {
        s.checkForm(PRUNE_UPDATE, pairs);
      } catch (error) {
        assert.ok(error instanceof s.ParameterError);
      }
    }),
  );
  fc.assert(
    fc.property(fc.dictionary(names, fc.jsonValue()), (body) => {
      try {
        s.checkJson(PRUNE_UPDATE, body);
      } catch (error) {
        assert.ok(error instanceof s.ParameterError);
      }
    }),
  );
});
