import assert from "node:assert/strict";
import { vectorText } from "../../test/vectors.ts";
import { DozoError } from "../base/errors.ts";
import { formatKeyFile, parseKeyFile } from "./key_file.ts";
import { extractPaperKey, paperKeyHtml, paperKeyText } from "./paper_key.ts";
import { qrModules, qrSvg, qrText } from "./qr_code.ts";

const textOf = (paper: string) => paper.slice(0, paper.indexOf("-----END PROXMOX BACKUP KEY-----\n") + 33);
const qrOf = (paper: string) => paper.slice(textOf(paper).length);
const pem = vectorText("keys/master-private.pem");
const pemLines = pem.trimEnd().split("\n");

Deno.test("the text form is that of the reference, with a QR code of the same size", () => {
  const cases = [["key-none", undefined], ["key-scrypt", "golden key"]] as const;
  for (const [name, subject] of cases) {
    const expected = vectorText(`keys/paperkey-${name}.txt`);
    const paper = paperKeyText(vectorText(`keys/${name}.json`), { subject });
    assert.equal(textOf(paper), textOf(expected));
    const shape = (qr: string) => qr.split("\n").map((line) => line.length);
    assert.deepEqual(shape(qrOf(paper)), shape(qrOf(expected)));
    // The corner patterns stand where a scanner looks for them.
    assert.deepEqual(qrOf(paper).split("\n").slice(0, 3).map((line) => line.slice(0, 7)), [
      "█▀▀▀▀▀█",
      "█ ███ █",
      "█ ▀▀▀ █",
    ]);
  }
});

Deno.test("a key on paper can be typed in again", () => {
  const json = vectorText("keys/key-scrypt.json");
  const paper = paperKeyText(json, { subject: "safe in the cellar" });
  assert.equal(formatKeyFile(parseKeyFile(extractPaperKey(paper))), json);
  assert.equal(formatKeyFile(parseKeyFile(extractPaperKey(`${json}\n`))), json);
});

Deno.test("a private key is numbered and cut into blocks with a QR code each", () => {
  const paper = paperKeyText(pem);
  const blocks = paper.split("\f\n");
  assert.equal(blocks.pop(), "");
  assert.equal(blocks.length, Math.ceil(pemLines.length / 5));
  const lines = blocks.flatMap((block) => block.split("\n").filter((line) => /^[ \d]\d: /.test(line)));
  assert.deepEqual(lines.map((line) => line.slice(4)), pemLines);
  assert.ok(lines[9].startsWith(" 9: ") && lines[10].startsWith("10: "));
  assert.ok(blocks[0].endsWith(qrText(qrModules(pemLines.slice(0, 5).join("\n"))) + "\n"));
});

Deno.test("the page is self-contained, shows the lines and one image per block", () => {
  const page = paperKeyHtml(pem, { subject: '<script>"&' });
  assert.ok(page.includes("<p>Subject: &lt;script&gt;&quot;&amp;</p>"));
  assert.equal(page.match(/<img /g)?.length, Math.ceil(pemLines.length / 20));
  assert.ok(page.includes(`00: ${pemLines[0]}\n01: ${pemLines[1]}`));
  assert.doesNotMatch(page.replaceAll('xmlns="http://www.w3.org/2000/svg"', ""), /https?:|<script/);
  const image = atob(/base64,([^"]*)"/.exec(page)?.[1] ?? "");
  assert.equal(image, qrSvg(qrModules(pemLines.slice(0, 20).join("\n"))));
  const keyPage = paperKeyHtml(vectorText("keys/key-scrypt.json"));
  assert.equal(keyPage.match(/<img /g)?.length, 1);
  assert.ok(keyPage.includes("-----BEGIN PROXMOX BACKUP KEY-----\n{\n  &quot;kdf&quot;"));
});

Deno.test("the image and the text show the same modules", () => {
  const modules = qrModules("some text");
  const drawn = modules.map(() => new Array<boolean>(modules.length).fill(false));
  for (const [, x, y, width] of qrSvg(modules).matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g)) {
    drawn[Number(y)].fill(true, Number(x), Number(x) + Number(width));
  }
  assert.deepEqual(drawn, modules);
  const rows = qrText(modules).trimEnd().split("\n");
  assert.equal(rows.length, Math.ceil(modules.length / 2));
  assert.equal(
    [...qrText(modules)].filter((c) => c === "█" || c === "▀").length,
    modules.filter((_, y) => y % 2 === 0).flat().filter((dark) => dark).length,
  );
});

Deno.test("what is no key, a cut-off key and a subject of several lines are refused", () => {
  for (
    const input of [
      "",
      "hello",
      "{}",
      pemLines.slice(0, 19).join("\n"),
      pemLines.slice(0, -1).join("\n"),
      "x".repeat(70_000),
    ]
  ) {
    assert.throws(() => paperKeyText(input), DozoError, input.slice(0, 20));
    assert.throws(() => paperKeyHtml(input), DozoError, input.slice(0, 20));
  }
  assert.throws(() => paperKeyText(pem, { subject: "a\nb" }), /one line/);
  assert.throws(() => qrModules("x".repeat(3000)), /too long/);
});
