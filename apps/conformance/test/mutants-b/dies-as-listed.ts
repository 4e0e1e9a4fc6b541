import { expect, test } from "vitest";

import { checksFor } from "../../src/mutants/checks.ts";
import type { Mutant } from "../../src/mutants/mutant.ts";
import { tryMutant } from "../../src/mutants/trial.ts";

/** All checks run over each of them, so that those that should not fail are seen, too. */
export function testMutants(mutants: readonly Mutant[]): void {
  for (const mutant of mutants) {
    const { id, wrong, kills } = mutant;
    test(
      `${id} ${wrong}: caught by ${Object.keys(kills).toSorted().join(", ")} and no other`,
      { timeout: 120_000 },
      async () => {
        const subject = mutant.subject();
        expect(await tryMutant({ ...mutant, subject: () => subject }, checksFor(subject))).toEqual([]);
      },
    );
  }
}

/** Every second one: the longest lists are shared by two files, which run at the same time. */
export const every = (second: 0 | 1, mutants: readonly Mutant[]): readonly Mutant[] =>
  mutants.filter((_, index) => index % 2 === second);
