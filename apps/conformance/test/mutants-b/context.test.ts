import { CONTEXT_MUTANTS } from "../../src/mutants/context.ts";
import { testMutants } from "./dies-as-listed.ts";

testMutants(CONTEXT_MUTANTS);
