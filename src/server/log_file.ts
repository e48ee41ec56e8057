/** Log files that several processes append to, one whole line at a time. */

/** Appends lines; they are written together a moment later, or at {@link flush}. */
export class LogFile {
  readonly #path: string;
  #lines: string[] = [];
  #timer?: ReturnType<typeof setTimeout>;
  #failed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Adds a line; never throws. */
  write(line: string): void {
    this.#lines.push(line);
    this.#timer ??= setTimeout(() => this.flush(), 100);
  }

  /** Writes what waits. A log that cannot be written is reported once, and the server goes on. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    const text = this.#lines.join("\n") + "\n";
    this.#lines = [];
    try {
      // Append mode: lines of different processes never mix as long as each write is one call.
      Deno.writeTextFileSync(this.#path, text, { append: true, mode: 0o640 });
    } catch (error) {
      if (!this.#failed) {
        console.error(`unable to write '${this.#path}': ${error instanceof Error ? error.message : error}`);
      }
      this.#failed = true;
    }
  }
}

/** One line of the access log (`spec/rest-conventions.md` §18). */
export function accessLine(entry: {
  readonly peer: string;
  readonly authid?: string;
  readonly verb: string;
  readonly path: string;
  readonly status: number;
  readonly bytes: number;
  readonly agent?: string;
}, now: Date = new Date()): string {
  const pad = (value: number) => String(value).padStart(2, "0");
  const offset = -now.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${pad(Math.trunc(Math.abs(offset) / 60))}${pad(Math.abs(offset) % 60)}`;
  const stamp = `${pad(now.getDate())}/${pad(now.getMonth() + 1)}/${now.getFullYear()}:${pad(now.getHours())}:` +
    `${pad(now.getMinutes())}:${pad(now.getSeconds())} ${zone}`;
  const safe = (text: string) => text.replaceAll(/[\p{Cc}"]/gu, "?").slice(0, 4096);
  return `${entry.peer} - ${entry.authid ?? "-"} [${stamp}] "${safe(entry.verb)} ${safe(entry.path)}" ` +
    `${entry.status} ${entry.bytes} ${safe(entry.agent ?? "-")}`;
}
