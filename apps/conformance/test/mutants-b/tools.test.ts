import { TOOL_MUTANTS } from "../../src/mutants/tools.ts";
import { testMutants } from "./dies-as-listed.ts";

testMutants(TOOL_MUTANTS);
