import { LlmError } from "@enginehouse/llm-core";

import { type Check, GROUPS } from "../check.ts";
import { near } from "./near.ts";

/** The checks that `only` names, by id (`S08`) or by group (`A`), in the kit's order. All of them without `only`. */
export function selectChecks(checks: readonly Check[], only?: readonly string[]): readonly Check[] {
  if (only === undefined) return checks;
  const wanted = only.map((word) => word.trim().toUpperCase()).filter((word) => word !== "");
  for (const word of wanted) assertKnown(word, checks);
  if (wanted.length === 0) throw new LlmError("invalid-request", "no check was named", { hint: HINT });
  return checks.filter(({ id, group }) => wanted.includes(id) || wanted.includes(group));
}

/** The check of this id. */
export function findCheck(checks: readonly Check[], id: string): Check {
  const wanted = id.toUpperCase();
  const found = checks.find((check) => check.id === wanted);
  if (found === undefined) throw unknownCheck(id, checks);
  return found;
}

const HINT = "`llm-conformance list` names them all";

function assertKnown(word: string, checks: readonly Check[]): void {
  if (Object.hasOwn(GROUPS, word) || checks.some(({ id }) => id === word)) return;
  throw unknownCheck(word, checks);
}

export function unknownCheck(word: string, checks: readonly Check[]): LlmError {
  const meant = near(word, [...checks.map(({ id }) => id), ...Object.keys(GROUPS)]);
  const question = meant.length === 0 ? "" : ` (did you mean ${meant.join(" or ")}?)`;
  return new LlmError("invalid-request", `there is no check "${word}"${question}`, { hint: HINT });
}
