import { LIFECYCLE_MUTANTS } from "../../src/mutants/lifecycle.ts";
import { every, testMutants } from "./dies-as-listed.ts";

testMutants(every(0, LIFECYCLE_MUTANTS));
