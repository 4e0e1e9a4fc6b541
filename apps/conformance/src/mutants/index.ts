import { CAPABILITY_MUTANTS } from "./capabilities.ts";
import { CONTEXT_MUTANTS } from "./context.ts";
import { EMBEDDING_MUTANTS } from "./embeddings.ts";
import { LIFECYCLE_MUTANTS } from "./lifecycle.ts";
import type { Mutant } from "./mutant.ts";
import { REASONING_MUTANTS } from "./reasoning.ts";
import { STRUCTURED_MUTANTS } from "./structured.ts";
import { TOOL_MUTANTS } from "./tools.ts";

export type { Mutant } from "./mutant.ts";

/** Every wrong provider that the kit must catch, each by exactly the checks that it names. */
export const MUTANTS: readonly Mutant[] = [
  ...CONTEXT_MUTANTS,
  ...TOOL_MUTANTS,
  ...STRUCTURED_MUTANTS,
  ...REASONING_MUTANTS,
  ...EMBEDDING_MUTANTS,
  ...LIFECYCLE_MUTANTS,
  ...CAPABILITY_MUTANTS,
];
