import assert from "node:assert/strict";
import { vectorText } from "../../../test/vectors.ts";
import { archiveReport, changeReport } from "./report.ts";

const KiB = 1024;
const MiB = 1024 * 1024;
const golden = vectorText("datastore/client-output.txt").split("\n");

function summary(size: number, uploaded: number, encoded: number) {
  return {
    size,
    chunkCount: 1,
    csum: new Uint8Array(32),
    uploadedChunks: 1,
    uploadedSize: uploaded,
    uploadedEncodedSize: encoded,
    reusedChunks: 0,
    reusedSize: size - uploaded,
  };
}

Deno.test("CL-41 the lines on an archive are those of the established client", () => {
  const none = { chunks: 0, bytes: 0 };
  const cases: [string[], RegExp[]][] = [
    [archiveReport("catalog.pcat1.didx", summary(6306, 6306, 100), 1, none), [
      /^Uploaded backup catalog \(6\.158 KiB\)$/,
    ]],
    [archiveReport("drive-scsi1.img.fidx", summary(32 * MiB, 12 * MiB, 511), 0.047754, none), [
      /^drive-scsi1\.img: had to backup 12 MiB of 32 MiB \(compressed 511 B\) in 0\.05 s \(average 251\.\d+ MiB\/s\)$/,
      /^drive-scsi1\.img: backup was done incrementally, reused 20 MiB \(62\.5%\)$/,
    ]],
    [archiveReport("tree.mpxar.didx", summary(47744, 0, 0), 0.02, none), [
      /^tree\.mpxar: had to backup 0 B of 46\.625 KiB \(compressed 0 B\) in 0\.02 s \(average 0 B\/s\)$/,
    ]],
  ];
  for (const [lines, patterns] of cases) {
    assert.equal(lines.length, patterns.length);
    lines.forEach((line, i) => assert.match(line, patterns[i]));
  }
  for (const [lines] of cases) {
    for (const line of lines.filter((one) => !one.includes(" in "))) assert.ok(golden.includes(line), line);
  }
});

Deno.test("CL-82 what was taken over from the previous snapshot is told in the established words", () => {
  const injected = { chunks: 1, bytes: 3152087 };
  const [reused] = archiveReport("tree.ppxar.didx", summary(4206952, 1054865, 200000), 0.01, injected);
  assert.ok(golden.includes(reused), reused);
  const lines = changeReport({
    archiveSize: 0,
    payloadSize: 0,
    directories: 10,
    files: 291,
    hardlinks: 1,
    reusedFiles: 12,
    reusedSize: 3 * MiB,
    encodedFiles: 278,
    encodedSize: 1.006 * MiB,
    injectedChunks: 1,
    injectedSize: 3152087,
    partialChunks: 1,
    padding: 6.053 * KiB,
    warnings: 0,
  });
  const at = golden.indexOf(lines[0]);
  assert.ok(at > 0);
  assert.deepEqual(lines, golden.slice(at, at + lines.length));
});
