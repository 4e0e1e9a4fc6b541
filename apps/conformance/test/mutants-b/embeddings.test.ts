import { EMBEDDING_MUTANTS } from "../../src/mutants/embeddings.ts";
import { testMutants } from "./dies-as-listed.ts";

testMutants(EMBEDDING_MUTANTS);
