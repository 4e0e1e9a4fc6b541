import { REASONING_MUTANTS } from "../../src/mutants/reasoning.ts";
import { testMutants } from "./dies-as-listed.ts";

testMutants(REASONING_MUTANTS);
