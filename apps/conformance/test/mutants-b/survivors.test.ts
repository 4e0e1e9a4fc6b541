import { SURVIVORS } from "../../src/mutants/survivors.ts";
import { testMutants } from "./dies-as-listed.ts";

testMutants(SURVIVORS);
