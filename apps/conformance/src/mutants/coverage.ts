import type { Check } from "../check.ts";
import type { Mutant } from "./mutant.ts";

export interface Covered {
  readonly check: string;
  readonly promise: string;
  /** Ids of the mutants that this check fails over. */
  readonly killedBy: readonly string[];
}

/** For each check the mutants that show that it can fail. */
export const coverage = (checks: readonly Check[], mutants: readonly Mutant[]): readonly Covered[] =>
  checks.map(({ id, promise }) => ({
    check: id,
    promise,
    killedBy: mutants.filter(({ kills }) => kills[id] !== undefined).map((mutant) => mutant.id),
  }));
