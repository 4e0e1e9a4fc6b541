import { SURVIVORS } from "../../src/mutants/survivors.ts";
import { every, testMutants } from "./dies-as-listed.ts";

testMutants(every(0, SURVIVORS));
