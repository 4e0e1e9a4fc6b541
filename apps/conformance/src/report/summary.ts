import { type Group, GROUPS } from "../check.ts";
import type { CheckResult, Failed, Report, Skipped, Totals } from "./report.ts";

/** `128 passed, 1 failed, 3 skipped`: what there is none of is left out, but for the passes. */
export function countsText(totals: Totals): string {
  const words = [
    `${totals.passed} passed`,
    totals.failed === 0 ? "" : `${totals.failed} failed`,
    totals["known-failure"] === 0 ? "" : `${totals["known-failure"]} known to fail`,
    totals.skipped === 0 ? "" : `${totals.skipped} skipped`,
  ];
  return words.filter((word) => word !== "").join(", ");
}

/** In one sentence, what the run says of the plugin. */
export function conclusion({ green, totals, only, manifest }: Report): string {
  if (totals.failed > 0) return `not conformant: ${totals.failed} of ${totals.checks} checks failed`;
  if (!green) return "nothing passed: a run of skips and known failures proves nothing";
  if (only !== undefined) return "green, but only the chosen checks were run";
  const applied = totals.checks - totals.skipped;
  const extent =
    totals.skipped === 0 ? "" : `, by the ${applied} of ${totals.checks} checks that apply to it`;
  const known = totals["known-failure"] === 0 ? "" : ", but for known failures";
  return `conformant with contract ${manifest.contract}${extent}${known}`;
}

export interface GroupOfResults {
  readonly group: Group;
  readonly name: string;
  readonly results: readonly CheckResult[];
}

/** The groups that have results, in the kit's order. */
export function groupsOf(results: readonly CheckResult[]): readonly GroupOfResults[] {
  return (Object.keys(GROUPS) as Group[])
    .map((group) => ({ group, name: GROUPS[group], results: results.filter((one) => one.group === group) }))
    .filter((one) => one.results.length > 0);
}

/** Skips by their reason: one sentence for many. */
export function skipsByReason(results: readonly CheckResult[]): ReadonlyMap<string, readonly Skipped[]> {
  return grouped(
    results.filter((result) => result.verdict === "skipped"),
    ({ reason }) => reason,
  );
}

/** One cause that left the same behind after many checks is one failure to read. */
export function failuresByMessage(
  results: readonly CheckResult[],
): readonly (readonly [Failed, ...Failed[]])[] {
  const failed = results.filter((result) => result.verdict === "failed");
  return [...grouped(failed, ({ cause, message, id }) => (cause === "leftovers" ? message : id)).values()];
}

function grouped<Item>(
  items: readonly Item[],
  key: (item: Item) => string,
): ReadonlyMap<string, [Item, ...Item[]]> {
  const groups = new Map<string, [Item, ...Item[]]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** The wire that was spoken, and the patience that its backend was given. */
export function wireText({ name, slowness = 1 }: Report["wire"]): string {
  return slowness === 1 ? name : `${name}, given ${slowness} times the time of a fake`;
}

/** The declaration that skips follow from. */
export function declarationText({ operations, features }: Report["manifest"]): string {
  const able = features.length === 0 ? "no features" : features.join(", ");
  return `${operations.join(", ")} · ${able}`;
}
