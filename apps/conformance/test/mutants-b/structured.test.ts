import { STRUCTURED_MUTANTS } from "../../src/mutants/structured.ts";
import { testMutants } from "./dies-as-listed.ts";

testMutants(STRUCTURED_MUTANTS);
