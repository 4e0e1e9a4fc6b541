import { ABORT_MUTANTS } from "../../src/mutants/abort.ts";
import { testMutants } from "../mutants-b/dies-as-listed.ts";

testMutants(ABORT_MUTANTS);
