// The first JavaScript that the built executable runs: loads the program that is appended to the executable. The runtime
// is told this file only, because it analyses the source it is told (0.1 s per MiB), while V8 compiles lazily and from
// the code cache that the build made.
const MAGIC = "dozo program 1\n\0";
const START_UP_VARIABLES = [/* the names that the start-up stub changed */];

function readProgram() {
  // The inode that runs, even when the file was replaced or removed since.
  const file = Deno.openSync("/proc/self/exe");
  try {
    const end = file.seekSync(0, Deno.SeekMode.End);
    const footer = readAt(file, end - 32, 32);
    if (new TextDecoder().decode(footer.subarray(16)) !== MAGIC) {
      throw new Error("executable is damaged: program missing");
    }
    const view = new DataView(footer.buffer);
    const sourceLength = Number(view.getBigUint64(0, true));
    const cacheLength = Number(view.getBigUint64(8, true));
    const start = end - 32 - sourceLength - cacheLength;
    const bytes = readAt(file, start, sourceLength + cacheLength);
    return {
      source: new TextDecoder().decode(bytes.subarray(0, sourceLength)),
      cache: bytes.subarray(sourceLength),
    };
  } finally {
    file.close();
  }
}

function readAt(file, offset, length) {
  const bytes = new Uint8Array(length);
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let at = 0; at < length;) {
    const count = file.readSync(bytes.subarray(at));
    if (count === null) throw new Error("executable is damaged: it ends too early");
    at += count;
  }
  return bytes;
}

/** Gives the environment back as the caller made it, for the program and for the processes that it starts. */
function restoreEnvironment() {
  const given = new Map(
    Deno.readTextFileSync("/proc/self/environ").split("\0").map((entry) => {
      const equals = entry.indexOf("=");
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
  for (const name of START_UP_VARIABLES) {
    const value = given.get(name);
    if (value === undefined) Deno.env.delete(name);
    else Deno.env.set(name, value);
  }
}

restoreEnvironment();
const vm = process.getBuiltinModule("node:vm");
const { source, cache } = readProgram();
const script = new vm.Script(source, {
  filename: "dozo.js",
  cachedData: cache.length > 0 ? cache : undefined,
  importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
const module = { exports: {} };
script.runInThisContext()(module.exports, process.getBuiltinModule, module);
