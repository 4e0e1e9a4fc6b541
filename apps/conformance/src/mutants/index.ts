import { ABORT_MUTANTS } from "./abort.ts";
import { CAPABILITY_MUTANTS } from "./capabilities.ts";
import { CONTEXT_MUTANTS } from "./context.ts";
import { EMBEDDING_MUTANTS } from "./embeddings.ts";
import { FAULT_MUTANTS } from "./faults.ts";
import { LIFECYCLE_MUTANTS } from "./lifecycle.ts";
import type { Mutant } from "./mutant.ts";
import { PACKAGING_MUTANTS } from "./packaging.ts";
import { REASONING_MUTANTS } from "./reasoning.ts";
import { SETTINGS_MUTANTS } from "./settings.ts";
import { STREAM_MUTANTS } from "./stream.ts";
import { STRUCTURED_MUTANTS } from "./structured.ts";
import { SURVIVORS } from "./survivors.ts";
import { TOOL_MUTANTS } from "./tools.ts";
import { USAGE_MUTANTS } from "./usage.ts";

export type { Mutant } from "./mutant.ts";

/** Every wrong provider that the kit must catch, each by exactly the checks that it names. */
export const MUTANTS: readonly Mutant[] = [
  ...PACKAGING_MUTANTS,
  ...SETTINGS_MUTANTS,
  ...STREAM_MUTANTS,
  ...ABORT_MUTANTS,
  ...FAULT_MUTANTS,
  ...USAGE_MUTANTS,
  ...CONTEXT_MUTANTS,
  ...TOOL_MUTANTS,
  ...STRUCTURED_MUTANTS,
  ...REASONING_MUTANTS,
  ...EMBEDDING_MUTANTS,
  ...LIFECYCLE_MUTANTS,
  ...CAPABILITY_MUTANTS,
  ...SURVIVORS,
];
