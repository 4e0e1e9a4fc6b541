import { describe, expect, test } from "vitest";

import { checksFor } from "../../src/mutants/checks.ts";
import type { Mutant } from "../../src/mutants/mutant.ts";
import { PACKAGING_MUTANTS } from "../../src/mutants/packaging.ts";
import { SETTINGS_MUTANTS } from "../../src/mutants/settings.ts";
import { STREAM_MUTANTS } from "../../src/mutants/stream.ts";
import { tryMutant } from "../../src/mutants/trial.ts";

const MUTANTS: readonly Mutant[] = [...PACKAGING_MUTANTS, ...SETTINGS_MUTANTS, ...STREAM_MUTANTS];

describe("a provider that", () => {
  for (const mutant of MUTANTS) {
    test(`${mutant.wrong} (${mutant.id}) fails just its checks`, { timeout: 120_000 }, async () => {
      const subject = mutant.subject();
      expect(await tryMutant({ ...mutant, subject: () => subject }, checksFor(subject))).toEqual([]);
    });
  }
});
