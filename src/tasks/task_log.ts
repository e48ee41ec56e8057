/** The log of a running task, written by the process that runs it (`spec/rest-conventions.md` §13). */

/** What the code of a task gets: writes the log and learns of an abort. */
export interface TaskLog {
  readonly upid: string;
  /** Aborted when somebody asked to stop the task, or when the server goes down. Its reason is the error to end with. */
  readonly signal: AbortSignal;
  /** Number of warnings so far. */
  readonly warnings: number;
  /** One line with time stamp. */
  log(message: string): void;
  /** A counted line `WARN: …`; a task with warnings ends as `WARNINGS: n`. */
  warn(message: string): void;
  /** Throws the abort reason when the task was asked to stop. */
  checkAbort(): void;
  /**
   * Ends the task: last line, status in the task list. Without `error`: `OK` or `WARNINGS: n`. Further calls do nothing.
   */
  finish(error?: unknown): Promise<void>;
}
