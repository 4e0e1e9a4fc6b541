import type { Check } from "../check.ts";

/** Every promise that the kit checks, in the order of the groups. */
export const CHECKS: readonly Check[] = [];
