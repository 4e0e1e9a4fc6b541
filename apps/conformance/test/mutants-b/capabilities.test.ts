import { CAPABILITY_MUTANTS } from "../../src/mutants/capabilities.ts";
import { testMutants } from "./dies-as-listed.ts";

testMutants(CAPABILITY_MUTANTS);
