/** Progress of long work: one line that is rewritten on a terminal, lines at log level debug elsewhere. */
import { log, printError } from "./framework/print.ts";

const TERMINAL_INTERVAL_MS = 250;
const LOG_INTERVAL_MS = 10_000;

/** Shows what `describe` says now and then, until stopped. Log lines go through {@link say} so that both stay readable. */
export class Progress {
  readonly #describe: () => string;
  readonly #terminal = Deno.stderr.isTerminal();
  readonly #timer: ReturnType<typeof setInterval>;
  #shown = false;

  constructor(describe: () => string) {
    this.#describe = describe;
    this.#timer = setInterval(() => this.#update(), this.#terminal ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Prints a log line of level `info`. */
  readonly say = (line: string): void => {
    this.#clear();
    log("info", line);
  };

  /** Ends the display. */
  stop(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #update(): void {
    if (!this.#terminal) {
      log("debug", this.#describe());
      return;
    }
    printError(`\r${fitted(this.#describe())}\x1b[K`);
    this.#shown = true;
  }

  #clear(): void {
    if (this.#shown) printError("\r\x1b[K");
    this.#shown = false;
  }
}

function fitted(text: string): string {
  return text.slice(0, Math.max(20, Deno.consoleSize().columns - 1));
}
