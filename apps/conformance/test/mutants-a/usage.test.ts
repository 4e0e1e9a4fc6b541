import { USAGE_MUTANTS } from "../../src/mutants/usage.ts";
import { testMutants } from "../mutants-b/dies-as-listed.ts";

testMutants(USAGE_MUTANTS);
