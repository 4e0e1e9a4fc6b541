import { FAULT_MUTANTS } from "../../src/mutants/faults.ts";
import { testMutants } from "../mutants-b/dies-as-listed.ts";

testMutants(FAULT_MUTANTS);
