import { STREAM_MUTANTS } from "../../src/mutants/stream.ts";
import { testMutants } from "../mutants-b/dies-as-listed.ts";

testMutants(STREAM_MUTANTS);
