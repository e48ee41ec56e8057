/** Test help: runs a tool in this process and keeps what it prints. */
import type { Tool } from "./command.ts";
import { runTool } from "./run.ts";
import { captureOutput } from "./print.ts";

/** Exit code and output of a command line. */
export interface Printed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `words` with the environment `env` added; restores the environment afterwards. */
export async function runInside(
  tool: Tool,
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<Printed> {
  const before = Object.keys(env).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  const captured = captureOutput();
  try {
    const code = await runTool(tool, words);
    return { code, ...captured.stop() };
  } finally {
    captured.stop();
    for (const [name, value] of before) value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  }
}
