import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../base/errors.ts";
import { parseResponse } from "./http1_response.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined) => data && new TextDecoder().decode(data);

Deno.test("what follows a 101 answer belongs to the new protocol", () => {
  const answer = parseResponse(bytes("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x-v1\r\n\r\n\0\0\x12rest"), false);
  assert.equal(answer?.status, 101);
  assert.equal(answer?.headers.get("upgrade"), "x-v1");
  assert.equal(text(answer?.rest), "\0\0\x12rest");
});

Deno.test("a refusal is complete with its length, its last chunk or the end of the connection", () => {
  const head = "HTTP/1.1 400 Bad Request\r\n";
  const whole = `${head}Content-Length: 5\r\n\r\nno go`;
  for (let cut = 0; cut < whole.length; cut++) {
    assert.equal(parseResponse(bytes(whole.slice(0, cut)), false), undefined);
  }
  assert.equal(text(parseResponse(bytes(whole), false)?.body), "no go");
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nno \r\n2;x\r\ngo\r\n0\r\n\r\n`;
  assert.equal(text(parseResponse(bytes(chunked), false)?.body), "no go");
  assert.equal(parseResponse(bytes(`${head}\r\nno go`), false), undefined);
  assert.equal(text(parseResponse(bytes(`${head}\r\nno go`), true)?.body), "no go");
});

Deno.test("what is no HTTP/1.1 answer is an error, not a wait without end", () => {
  for (const wrong of ["SSH-2.0\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"]) {
    assert.throws(() => parseResponse(bytes(wrong), false), FormatError);
  }
  assert.throws(() => parseResponse(bytes("x".repeat(70_000)), false), FormatError);
  assert.throws(() => parseResponse(bytes("HTTP/1.1 10"), true), FormatError);
});

Deno.test("any bytes are an answer, a wait or a format error, and bodies are bounded", () => {
  const line = fc.constantFrom(
    "HTTP/1.1 400 x\r\n",
    "Content-Length: 9\r\n",
    "Transfer-Encoding: chunked\r\n",
    "\r\n",
    "a\r\n",
  );
  const part = fc.oneof(line.map(bytes), fc.uint8Array({ maxLength: 30 }));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.boolean(), (parts, ended) => {
      const received = Uint8Array.from(parts.flatMap((one) => [...one]));
      try {
        const answer = parseResponse(received, ended);
        assert.ok(!answer || answer.body.length <= 65536);
        assert.ok(answer || !ended);
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
