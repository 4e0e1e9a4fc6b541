import { ABORT_MUTANTS } from "../../src/mutants/abort.ts";
import { FAULT_MUTANTS } from "../../src/mutants/faults.ts";
import type { Mutant } from "../../src/mutants/mutant.ts";
import { USAGE_MUTANTS } from "../../src/mutants/usage.ts";
import { testMutants } from "../mutants-b/dies-as-listed.ts";

const MUTANTS: readonly Mutant[] = [...ABORT_MUTANTS, ...FAULT_MUTANTS, ...USAGE_MUTANTS];

testMutants(MUTANTS);
