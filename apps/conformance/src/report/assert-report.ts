import assert from "node:assert/strict";

import type { Check } from "../check.ts";
import { CHECKS } from "../checks/index.ts";
import { dishonestyOf } from "../run/honest-wire.ts";
import { yearAfter } from "../run/known-until.ts";
import { whyNot } from "../run/needs.ts";
import { selectChecks } from "../run/select.ts";
import { type CheckResult, isGreen, type LiveResult, type Report, totalsOf, type Verdict } from "./report.ts";

/**
 * Holds a report to what it says of itself, whoever made it: every check is there once, every skip follows from the
 * manifest or the wire, nothing that had to be skipped counts as passed, and the totals add up.
 */
export function assertReport(report: Report, checks: readonly Check[] = CHECKS): void {
  const { results, only, totals, green, live } = report;
  const dishonesty = dishonestyOf({ wire: report.wire.name, cannot: report.wire.cannot });
  assert.ok(dishonesty === undefined, dishonesty);
  const chosen = selectChecks(checks, only);
  const ids = results.map(({ id }) => id);
  for (const { id } of chosen) {
    const times = ids.filter((one) => one === id).length;
    assert.ok(times === 1, `${id} is in the report ${times} times, not once`);
  }
  const strange = ids.find((id) => !chosen.some((check) => check.id === id));
  assert.ok(strange === undefined, `${strange} is in the report and no check that was to be run`);

  for (const check of chosen) {
    const result = results.find(({ id }) => id === check.id);
    if (result !== undefined) assertResult(result, check, report);
  }
  const counted = totalsOf(results);
  for (const [name, count] of Object.entries(counted)) {
    const told = totals[name as keyof typeof counted];
    assert.ok(told === count, `the totals say ${told} ${name}, the results ${count}`);
  }
  assert.ok(
    green === isGreen(counted),
    `it calls itself ${green ? "" : "not "}green: ${JSON.stringify(counted)}`,
  );
  if (live !== undefined) {
    for (const { id, verdict } of live.results) assertVerdict(id, verdict, LIVE_VERDICTS);
    const ends = live.results.every(({ verdict }) => verdict !== "failed");
    const passed = live.results.some(({ verdict }) => verdict === "passed" || verdict === "flaky");
    assert.ok(live.green === (ends && passed), "the live part calls itself green and is not, or the reverse");
  }
}

const VERDICTS: readonly Verdict[] = ["passed", "failed", "skipped", "known-failure"];
const LIVE_VERDICTS: readonly LiveResult["verdict"][] = ["passed", "failed", "flaky", "skipped"];

/** What is called by another word would be counted nowhere. */
function assertVerdict(id: string, verdict: string, known: readonly string[]): void {
  assert.ok(known.includes(verdict), `${id} is called "${verdict}", which is no verdict`);
}

function assertResult(result: CheckResult, check: Check, { manifest, wire, date }: Report): void {
  const { id, verdict } = result;
  assertVerdict(id, verdict, VERDICTS);
  assert.ok(result.promise === check.promise, `${id} does not have the promise of the kit`);
  assert.ok(result.group === check.group, `${id} is not in the group ${check.group}`);
  const reason = whyNot(check, manifest, { wire: wire.name, cannot: wire.cannot });
  if (reason !== undefined) {
    assert.ok(verdict === "skipped", `${id} counts as ${verdict} and had to be skipped: ${reason}`);
    assert.ok(result.reason === reason, `${id} was skipped because "${result.reason}", and not: ${reason}`);
    return;
  }
  assert.ok(verdict !== "skipped", `${id} was skipped and applies: neither manifest nor wire tells why not`);
  assert.ok(result.ms > 0, `${id} counts as ${verdict} and took no time: it did not run`);
  if (verdict === "failed") assert.ok(result.message !== "", `${id} failed and does not say how`);
  if (verdict === "known-failure") {
    assert.ok(date <= result.until, `${id} was a known failure until ${result.until} only`);
    const last = yearAfter(date);
    assert.ok(
      result.until <= last,
      `${id} is a known failure until ${result.until}, and not ${last} at the latest`,
    );
    assert.match(result.issue, /^https?:\/\//, `${id} is a known failure without a link`);
  }
}
