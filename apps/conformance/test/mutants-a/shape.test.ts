import type { Mutant } from "../../src/mutants/mutant.ts";
import { PACKAGING_MUTANTS } from "../../src/mutants/packaging.ts";
import { SETTINGS_MUTANTS } from "../../src/mutants/settings.ts";
import { STREAM_MUTANTS } from "../../src/mutants/stream.ts";
import { testMutants } from "../mutants-b/dies-as-listed.ts";

const MUTANTS: readonly Mutant[] = [...PACKAGING_MUTANTS, ...SETTINGS_MUTANTS, ...STREAM_MUTANTS];

testMutants(MUTANTS);
