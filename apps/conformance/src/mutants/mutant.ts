import type { Subject } from "../subject.ts";

/** A provider that is wrong in one way, and what the kit must say of it. */
export interface Mutant {
  /** `M07` */
  readonly id: string;
  /** What is wrong, as one sentence about the provider. */
  readonly wrong: string;
  /** Exactly the checks that fail over it, each with what the failure says. */
  readonly kills: Readonly<Record<string, RegExp>>;
  readonly subject: () => Subject;
}
