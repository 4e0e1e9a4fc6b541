import { LIFECYCLE_MUTANTS } from "../../src/mutants/lifecycle.ts";
import { testMutants } from "./dies-as-listed.ts";

testMutants(LIFECYCLE_MUTANTS);
