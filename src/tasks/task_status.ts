/** How a task ended: status texts of task logs and lists (`spec/rest-conventions.md` §13). */

/** Kinds of result, as the `statusfilter` parameter names them. */
export type TaskStatusKind = "ok" | "warning" | "error" | "unknown";

/** A result. `endTime` is kept beside it. */
export type TaskStatus =
  | { readonly kind: "ok" }
  | { readonly kind: "warning"; readonly count: number }
  | { readonly kind: "error"; readonly message: string }
  | { readonly kind: "unknown" };

/** Text in lists and the API: `OK`, `WARNINGS: 2`, `unknown` or the error message (on one line). */
export function formatTaskStatus(status: TaskStatus): string {
  if (status.kind === "ok") return "OK";
  if (status.kind === "warning") return `WARNINGS: ${status.count}`;
  if (status.kind === "unknown") return "unknown";
  return status.message.replaceAll(/[\r\n]+/g, " ");
}

/** Reverses {@link formatTaskStatus}; an `ERROR: ` before an error message is dropped. */
export function parseTaskStatus(text: string): TaskStatus {
  if (text === "OK") return { kind: "ok" };
  if (text === "unknown") return { kind: "unknown" };
  const warnings = /^WARNINGS: (\d{1,15})$/.exec(text);
  if (warnings) return { kind: "warning", count: Number(warnings[1]) };
  return { kind: "error", message: text.replace(/^ERROR: /, "") };
}
