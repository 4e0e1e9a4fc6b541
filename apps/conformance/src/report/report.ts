import type { Group } from "../check.ts";
import type { SubjectManifest } from "../subject.ts";

/** What a run of the kit found. Plain data: it can be written to a file, read back and committed. */
export interface Report {
  readonly kit: { readonly name: string; readonly version: string; readonly contract: number };
  readonly package: { readonly name: string; readonly version: string };
  /** What the plugin declares: the skips follow from it. */
  readonly manifest: SubjectManifest;
  /** The wire that was spoken, and what it has no words for: the other skips follow from that. */
  readonly wire: {
    readonly name: string;
    readonly cannot: Readonly<Record<string, string>>;
    /** How many times longer than a fake it was given, where it is a real engine. */
    readonly slowness?: number | undefined;
  };
  readonly node: string;
  /** `linux-x64` */
  readonly platform: string;
  /** The same seed gives the same run. */
  readonly seed: number;
  /** `2026-11-21` */
  readonly date: string;
  /** The ids and groups that were chosen, where it was not all. */
  readonly only?: readonly string[] | undefined;
  readonly totals: Totals;
  /** Nothing failed, and something passed. */
  readonly green: boolean;
  readonly results: readonly CheckResult[];
  /** A real backend, looked at for shapes only. Counted nowhere above. */
  readonly live?: LiveReport | undefined;
}

/** Each result is counted under one of these. A skip is never a pass. */
export interface Totals {
  readonly checks: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly "known-failure": number;
}

export type CheckResult = Passed | Failed | Skipped | KnownFailing;
export type Verdict = CheckResult["verdict"];

interface Named {
  readonly id: string;
  readonly group: Group;
  readonly promise: string;
}

interface Ran extends Named {
  readonly ms: number;
  /** Requests that arrived at the backends of this check. */
  readonly requests: number;
  /** What was seen on the wire or from the provider, in the check's own lines. */
  readonly saw: readonly string[];
}

export interface Passed extends Ran {
  readonly verdict: "passed";
}

export interface Failed extends Ran {
  readonly verdict: "failed";
  readonly cause: FailureCause;
  readonly message: string;
  readonly why: string;
  readonly fix: string;
}

/**
 * `promise`: it was broken · `time`: it was not over in time · `leftovers`: it held, but something was left behind
 * · `expired`: it is a known failure no more, or for more than a year · `kept`: a known failure that passes.
 */
export type FailureCause = "promise" | "time" | "leftovers" | "expired" | "kept";

export interface Skipped extends Named {
  readonly verdict: "skipped";
  readonly reason: string;
}

export interface KnownFailing extends Ran {
  readonly verdict: "known-failure";
  readonly message: string;
  readonly issue: string;
  readonly until: string;
}

/** Shapes only, of one real backend and model; tried again once where it failed, and then called flaky. */
export interface LiveReport {
  readonly url: string;
  readonly model: string;
  readonly green: boolean;
  readonly results: readonly LiveResult[];
}

export interface LiveResult {
  readonly id: string;
  readonly promise: string;
  readonly verdict: "passed" | "failed" | "flaky" | "skipped";
  readonly ms?: number | undefined;
  /** Of a failure, of the first try of a flaky one, or why it was skipped. */
  readonly message?: string | undefined;
}

export function totalsOf(results: readonly CheckResult[]): Totals {
  const count = (verdict: Verdict): number => results.filter((result) => result.verdict === verdict).length;
  return {
    checks: results.length,
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
    "known-failure": count("known-failure"),
  };
}

export const isGreen = ({ passed, failed }: Totals): boolean => failed === 0 && passed > 0;
