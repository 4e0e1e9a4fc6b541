import { describe, expect, test } from "vitest";

import { ABORT_MUTANTS } from "../../src/mutants/abort.ts";
import { checksFor } from "../../src/mutants/checks.ts";
import { FAULT_MUTANTS } from "../../src/mutants/faults.ts";
import type { Mutant } from "../../src/mutants/mutant.ts";
import { tryMutant } from "../../src/mutants/trial.ts";
import { USAGE_MUTANTS } from "../../src/mutants/usage.ts";

const MUTANTS: readonly Mutant[] = [...ABORT_MUTANTS, ...FAULT_MUTANTS, ...USAGE_MUTANTS];

describe("a provider that", () => {
  for (const mutant of MUTANTS) {
    test(`${mutant.wrong} (${mutant.id}) fails just its checks`, { timeout: 120_000 }, async () => {
      const subject = mutant.subject();
      expect(await tryMutant({ ...mutant, subject: () => subject }, checksFor(subject))).toEqual([]);
    });
  }
});
