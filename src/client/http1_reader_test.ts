import assert from "node:assert/strict";
import fc from "fast-check";
import { mutations } from "../../test/mutate.ts";
import { FormatError } from "../base/errors.ts";
import { Http1Reader, TruncatedAnswer } from "./http1_reader.ts";

function readerOf(bytes: Uint8Array, sizes: readonly number[] = [bytes.length || 1]): Http1Reader {
  let at = 0;
  let i = 0;
  return new Http1Reader(() => {
    if (at >= bytes.length) return Promise.resolve(null);
    const piece = bytes.slice(at, at + sizes[i++ % sizes.length]);
    at += piece.length;
    return Promise.resolve(piece);
  });
}

const text = (content: string) => new TextEncoder().encode(content);
const ANSWERS = "HTTP/1.1 100 Continue\r\n\r\n" +
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello" +
  "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n" +
  "HTTP/1.1 204 No Content\r\n\r\n" +
  "HTTP/1.1 200 OK\nConnection: close\n\nrest of it";

Deno.test("answers are read whatever the pieces in which they come", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
    async (sizes) => {
      const reader = readerOf(text(ANSWERS), sizes);
      const seen = [];
      for (let i = 0; i < 4; i++) {
        const { status, body, reusable } = await reader.answer(1000);
        seen.push([status, new TextDecoder().decode(body), reusable]);
      }
      assert.deepEqual(seen, [
        [200, "hello", true],
        [401, "abc0123456789", true],
        [204, "", true],
        [200, "rest of it", false],
      ]);
    },
  ));
});

Deno.test("repeated header fields are joined", async () => {
  const { headers } = await readerOf(text(ANSWERS)).answer(1000);
  assert.equal(headers["x-a"], "1, 2");
});

Deno.test("a body beyond the limit is refused, however it is sent", async () => {
  for (
    const answer of [
      "Content-Length: 6\r\n\r\nhello!",
      "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n",
      "\r\nhello!",
    ]
  ) {
    await assert.rejects(readerOf(text(`HTTP/1.1 200 OK\r\n${answer}`)).answer(5), /longer than/);
  }
});

Deno.test("an answer that ends too early is told apart from one that is wrong", async () => {
  await assert.rejects(readerOf(text("")).answer(10), TruncatedAnswer);
  await assert.rejects(readerOf(text("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell")).answer(10), TruncatedAnswer);
  for (const wrong of ["SSH-2.0-OpenSSH\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"]) {
    await assert.rejects(readerOf(text(wrong)).answer(10), (error) => {
      return error instanceof FormatError;
    });
  }
  await assert.rejects(readerOf(new Uint8Array(200_000).fill(65), [5000]).answer(10), /endless/);
});

Deno.test("damaged answers never hang or crash", async () => {
  for (const bytes of mutations(text(ANSWERS), 500)) {
    const reader = readerOf(bytes, [7, 100]);
    try {
      for (let i = 0; i < 6; i++) await reader.answer(1000);
    } catch (error) {
      assert.ok(error instanceof Error && error.message.length > 0);
    }
  }
});
