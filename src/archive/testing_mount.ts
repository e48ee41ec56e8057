/** Run by a test inside of a private mount namespace: archives `argv[0]`, whose `mnt` is a mount, in three ways. */
import { MemorySink, PxarDecoder, sequentialSource } from "../formats/pxar/mod.ts";
import { memorySource } from "../formats/pxar/mod.ts";
import { createArchive } from "./create.ts";
import type { CreateOptions } from "./create_types.ts";
import { listArchive } from "./list.ts";

const [source] = Deno.args;
const results: { paths: string[]; log: string[] }[] = [];
const ways: Partial<CreateOptions>[] = [{}, { allFileSystems: true }, { includeDev: [`${source}/mnt`] }];
for (const options of ways) {
  const archive = new MemorySink();
  const paths: string[] = [], log: string[] = [];
  await createArchive({ source, archive, log: (line) => void log.push(line), ...options });
  const decoder = new PxarDecoder(sequentialSource(memorySource(archive.bytes()), 0));
  await listArchive(decoder, (line) => void paths.push(line));
  results.push({ paths, log });
}
console.log(JSON.stringify(results));
