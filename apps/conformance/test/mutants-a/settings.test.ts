import { SETTINGS_MUTANTS } from "../../src/mutants/settings.ts";
import { testMutants } from "../mutants-b/dies-as-listed.ts";

testMutants(SETTINGS_MUTANTS);
