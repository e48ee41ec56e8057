/** The program's front door: finds the tool that was called and runs it. Tools are loaded when they are needed. */
import { basename } from "node:path";
import { DOZO_VERSION, PBS_COMPAT } from "../base/version.ts";
import type { Tool } from "./framework/command.ts";
import { printError, printOut } from "./framework/print.ts";
import { FAILURE, runTool } from "./framework/run.ts";

/** A tool: its word behind `dozo`, the link name under which it can be called, and what it is for. */
interface ToolEntry {
  readonly word: string;
  readonly link?: string;
  readonly summary: string;
  load(): Promise<(name: string) => Tool>;
}

const TOOLS: readonly ToolEntry[] = [
  {
    word: "client",
    link: "proxmox-backup-client",
    summary: "back up and restore",
    load: async () => (await import("./client/tool.ts")).clientTool,
  },
  {
    word: "pxar",
    link: "pxar",
    summary: "create, extract and list file archives",
    load: async () => (await import("./pxar/tool.ts")).pxarTool,
  },
  {
    word: "server",
    summary: "run the backup server",
    load: async () => (await import("./server/tool.ts")).serverTool,
  },
];

/** Runs the program that was called as `argv0` (`DOZO_ARGV0` beats it) with `args`; the exit code. Never throws. */
export async function run(argv0: string, args: readonly string[]): Promise<number> {
  // A runtime that has nothing left to wait for ends with code 0: no command may seem to have done its work that way.
  const waiting = setInterval(() => {}, 1 << 30);
  try {
    return await dispatch(argv0, args);
  } finally {
    clearInterval(waiting);
  }
}

async function dispatch(argv0: string, args: readonly string[]): Promise<number> {
  const called = basename(Deno.env.get("DOZO_ARGV0") || argv0);
  const linked = TOOLS.find(({ link }) => link === called);
  if (linked) return await runTool((await linked.load())(called), args);
  const [word, ...rest] = args;
  const entry = TOOLS.find((tool) => tool.word === word);
  if (entry) return await runTool((await entry.load())(`dozo ${word}`), rest);
  switch (word) {
    case "version":
    case "--version":
      printOut(`dozo ${DOZO_VERSION} (compatible with PBS ${PBS_COMPAT.version}.${PBS_COMPAT.release})\n`);
      return 0;
    case "help":
    case "--help":
      if (rest.length === 0) {
        printOut(overview());
        return 0;
      }
      return await helpFor(rest);
    default:
      printError(
        `Error: ${word === undefined ? "no command specified." : `no such command '${word}'`}\n\n${overview()}`,
      );
      return FAILURE;
  }
}

async function helpFor([word, ...rest]: readonly string[]): Promise<number> {
  const entry = TOOLS.find((tool) => tool.word === word);
  if (!entry) {
    printError(`no such command '${word}'\n`);
    return 0;
  }
  return await runTool((await entry.load())(`dozo ${word}`), ["help", ...rest]);
}

function overview(): string {
  const lines = TOOLS.map(({ word, link, summary }) =>
    `dozo ${word.padEnd(10)} ${summary}${link && link !== word ? ` (also as ${link})` : ""}\n`
  );
  return `Usage:\n\n${lines.join("")}dozo ${"version".padEnd(10)} print the version\ndozo ${
    "help".padEnd(10)
  } [TOOL [COMMAND…]]\n`;
}
