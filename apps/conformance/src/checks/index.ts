import type { Check } from "../check.ts";
import { ABORT_CHECKS } from "./abort.ts";
import { CAPABILITY_CHECKS } from "./capabilities.ts";
import { CONTEXT_CHECKS } from "./context.ts";
import { EMBEDDING_CHECKS } from "./embeddings.ts";
import { FAULT_CHECKS } from "./faults.ts";
import { LIFECYCLE_CHECKS } from "./lifecycle.ts";
import { PACKAGING_CHECKS } from "./packaging.ts";
import { REASONING_CHECKS } from "./reasoning.ts";
import { SETTINGS_CHECKS } from "./settings.ts";
import { STREAM_CHECKS } from "./stream.ts";
import { STRUCTURED_CHECKS } from "./structured.ts";
import { TOOL_CHECKS } from "./tools.ts";
import { USAGE_CHECKS } from "./usage.ts";

/** Every promise that the kit checks, in the order of the groups. */
export const CHECKS: readonly Check[] = [
  ...PACKAGING_CHECKS,
  ...SETTINGS_CHECKS,
  ...STREAM_CHECKS,
  ...ABORT_CHECKS,
  ...FAULT_CHECKS,
  ...USAGE_CHECKS,
  ...CONTEXT_CHECKS,
  ...TOOL_CHECKS,
  ...STRUCTURED_CHECKS,
  ...REASONING_CHECKS,
  ...EMBEDDING_CHECKS,
  ...LIFECYCLE_CHECKS,
  ...CAPABILITY_CHECKS,
];
