// deno run … make_code_cache.js PROGRAM CACHE: compiles the program as the executable does, runs it far enough to have the
// functions of every command's start compiled, and keeps V8's code cache.
import vm from "node:vm";

const [programPath, cachePath] = Deno.args;
const script = new vm.Script(Deno.readTextFileSync(programPath), {
  filename: "dozo.js",
  importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
const module = { exports: {} };
globalThis[Symbol.for("dozo.building")] = true;
script.runInThisContext()(module.exports, process.getBuiltinModule, module);
await module.exports.warmUp();
Deno.writeFileSync(cachePath, script.createCachedData());
