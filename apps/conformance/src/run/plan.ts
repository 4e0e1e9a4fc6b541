import { LlmError } from "@enginehouse/llm-core";

import type { Check } from "../check.ts";
import type { Skipped } from "../report/report.ts";
import type { Subject } from "../subject.ts";
import { dishonestyOf } from "./honest-wire.ts";
import { readSubjectPackage, type SubjectPackage } from "./manifest.ts";
import { whyNot } from "./needs.ts";
import type { Planned } from "./run-check.ts";
import { selectChecks, unknownCheck } from "./select.ts";

/** What will be run and what will not, known before any code of the plugin runs. */
export interface Plan {
  readonly described: SubjectPackage;
  readonly entries: readonly (Planned | { readonly skipped: Skipped })[];
}

export function planChecks(subject: Subject, checks: readonly Check[], only?: readonly string[]): Plan {
  const described = readSubjectPackage(subject);
  const dishonesty = dishonestyOf(subject.backend);
  if (dishonesty !== undefined) {
    throw new LlmError("invalid-settings", dishonesty, {
      hint: "a backend of your own has a name of its own, and in `cannot` a reason for each ability that it lacks",
    });
  }
  const known = knownFailuresOf(subject, checks);
  const entries = selectChecks(checks, only).map((check) => {
    const { id, group, promise } = check;
    const reason = whyNot(check, described.manifest, subject.backend);
    if (reason !== undefined) return { skipped: { id, group, promise, verdict: "skipped" as const, reason } };
    return { check, known: known.get(id) };
  });
  return { described, entries };
}

function knownFailuresOf({ knownFailures = [] }: Subject, checks: readonly Check[]) {
  for (const { check, issue, until } of knownFailures) {
    if (knownFailures.filter((one) => one.check === check).length > 1)
      throw refused(`the known failure of ${check} stands there twice`, "one entry for each check");
    if (!checks.some(({ id }) => id === check)) throw unknownCheck(check, checks);
    if (!/^https?:\/\/\S+$/.test(issue)) {
      throw refused(`the known failure of ${check} has no link to an issue`, 'issue: "https://…"');
    }
    if (!isDay(until)) {
      throw refused(`the known failure of ${check} ends on no date: "${until}"`, 'until: "2027-01-31"');
    }
  }
  return new Map(knownFailures.map((known) => [known.check, known]));
}

/** A day that there is: the engine takes the 30th of February for the 2nd of March. */
const isDay = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) &&
  !Number.isNaN(Date.parse(text)) &&
  new Date(text).toISOString().startsWith(text);

const refused = (message: string, example: string): LlmError =>
  new LlmError("invalid-settings", message, { hint: `write it in the subject, such as ${example}` });
