/** Writing to the terminal: results on stdout, everything else on stderr. Each call writes all of its text. */
import { writeSync } from "node:fs";

/** Prints a result. A reader that has gone away (`| head`) ends the program quietly. */
export function printOut(text: string): void {
  writeAll(1, new TextEncoder().encode(text));
}

/** Prints bytes of a result. */
export function printBytes(bytes: Uint8Array): void {
  writeAll(1, bytes);
}

/** Prints an error, warning, log line or progress. */
export function printError(text: string): void {
  writeAll(2, new TextEncoder().encode(text));
}

/** Log levels, from silent to chatty. */
const LEVELS = ["off", "error", "warn", "info", "debug", "trace"] as const;
/** A level that a line can have. */
export type LogLevel = Exclude<typeof LEVELS[number], "off">;
/** Environment variable that chooses the level. */
export type LogVariable = "PBS_LOG" | "PXAR_LOG";

/** True if the variable (default `info`) asks for lines of this level. */
export function logs(level: LogLevel, variable: LogVariable = "PBS_LOG"): boolean {
  const wanted = LEVELS.indexOf((Deno.env.get(variable) || "info").toLowerCase() as typeof LEVELS[number]);
  return LEVELS.indexOf(level) <= (wanted < 0 ? LEVELS.indexOf("info") : wanted);
}

/** Prints a log line if the variable asks for its level. */
export function log(level: LogLevel, line: string, variable: LogVariable = "PBS_LOG"): void {
  if (logs(level, variable)) printError(`${line}\n`);
}

let captured: { 1: string; 2: string } | undefined;

/** Keeps what is printed from now on instead of printing it, for tests; `stop` ends that and gives it back. */
export function captureOutput(): { stop(): { out: string; err: string } } {
  const kept = captured = { 1: "", 2: "" };
  return {
    stop: () => {
      captured = undefined;
      return { out: kept[1], err: kept[2] };
    },
  };
}

function writeAll(fd: 1 | 2, bytes: Uint8Array): void {
  if (captured) {
    captured[fd] += new TextDecoder().decode(bytes);
    return;
  }
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === "EAGAIN") continue;
      if (code === "EPIPE") Deno.exit(fd === 1 ? 0 : 255);
      throw error;
    }
  }
}
