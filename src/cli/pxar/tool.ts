import type { Tool } from "../framework/command.ts";
import { create } from "./create.ts";
import { extract } from "./extract.ts";
import { list } from "./list.ts";

/** The archiver. */
export function pxarTool(name: string): Tool {
  return { name, commands: [create, extract, list] };
}
