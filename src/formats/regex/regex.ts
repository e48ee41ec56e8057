/**
 * Regular expressions that take time proportional to expression × text whatever both are, so that an expression of one user
 * cannot stop the server. Syntax: that of Rust's `regex` crate, as in group filters and notification matchers.
 */
import { FormatError } from "../../base/errors.ts";
import type { CharacterSet } from "./character_set.ts";
import { type Node, parseRegex } from "./syntax.ts";

/** One step of the machine; all but `match` and `fork` go on with the next one. */
type Step =
  | { readonly kind: "character"; readonly set: CharacterSet }
  | { readonly kind: "assertion"; readonly holds: (before: string | undefined, after: string | undefined) => boolean }
  | { readonly kind: "fork"; targets: number[] }
  | { readonly kind: "match" };

/** Most steps of an expression with its repetitions written out. */
const MAX_STEPS = 10_000;

/** A compiled expression. */
export class Regex {
  readonly #steps: Step[] = [];

  /** Throws {@link FormatError} for a syntax error and an expression that is too large. */
  constructor(readonly source: string) {
    this.#compile(parseRegex(source));
    this.#push({ kind: "match" });
  }

  /** True when the expression matches anywhere in `text`. */
  test(text: string): boolean {
    const characters = [...text];
    let active = new Set<number>();
    for (let at = 0;; at++) {
      const before = characters[at - 1];
      const after = characters[at];
      // A match may begin at any character: not anchored.
      active.add(0);
      // A set's loop also visits what is added meanwhile.
      for (const index of active) {
        const step = this.#steps[index];
        if (step.kind === "match") return true;
        if (step.kind === "fork") { for (const target of step.targets) active.add(target); }
        if (step.kind === "assertion" && step.holds(before, after)) active.add(index + 1);
      }
      if (after === undefined) return false;
      const next = new Set<number>();
      for (const index of active) {
        const step = this.#steps[index];
        if (step.kind === "character" && step.set.has(after)) next.add(index + 1);
      }
      active = next;
    }
  }

  #compile(node: Node): void {
    if (node.kind === "sequence") { for (const part of node.parts) this.#compile(part); }
    else if (node.kind === "choice") this.#compileChoice(node.choices);
    else if (node.kind === "repetition") this.#compileRepetition(node.part, node.min, node.max);
    else this.#push(node);
  }

  #compileChoice(choices: readonly Node[]): void {
    const fork = this.#fork();
    const ends: { targets: number[] }[] = [];
    for (const choice of choices) {
      fork.targets.push(this.#steps.length);
      this.#compile(choice);
      ends.push(this.#fork());
    }
    for (const end of ends) end.targets.push(this.#steps.length);
  }

  #compileRepetition(part: Node, min: number, max: number): void {
    for (let i = 0; i < min; i++) this.#compile(part);
    if (max === Infinity) {
      const start = this.#steps.length;
      const fork = this.#fork();
      fork.targets.push(start + 1);
      this.#compile(part);
      this.#fork().targets.push(start);
      fork.targets.push(this.#steps.length);
      return;
    }
    const forks: { targets: number[] }[] = [];
    for (let i = min; i < max; i++) {
      const fork = this.#fork();
      fork.targets.push(this.#steps.length);
      forks.push(fork);
      this.#compile(part);
    }
    for (const fork of forks) fork.targets.push(this.#steps.length);
  }

  #fork(): { targets: number[] } {
    const fork = { kind: "fork" as const, targets: [] as number[] };
    this.#push(fork);
    return fork;
  }

  #push(step: Step): void {
    if (this.#steps.length >= MAX_STEPS) {
      throw new FormatError(
        `regular expression '${this.source.slice(0, 200)}' is too large when its repetitions are written out`,
      );
    }
    this.#steps.push(step);
  }
}
