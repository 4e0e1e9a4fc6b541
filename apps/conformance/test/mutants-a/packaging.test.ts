import { PACKAGING_MUTANTS } from "../../src/mutants/packaging.ts";
import { testMutants } from "../mutants-b/dies-as-listed.ts";

testMutants(PACKAGING_MUTANTS);
