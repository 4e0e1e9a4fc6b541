import process from "node:process";

import { CONTRACT_VERSION } from "@enginehouse/llm-core";

import type { Check } from "../check.ts";
import { CHECKS } from "../checks/index.ts";
import { type CheckResult, isGreen, type Report, totalsOf } from "../report/report.ts";
import type { Subject } from "../subject.ts";
import { readKit } from "./kit.ts";
import { type Plan, planChecks } from "./plan.ts";
import { newSeed } from "./random.ts";
import { runCheck } from "./run-check.ts";

export interface RunOptions {
  /** Ids (`S08`) and groups (`A`). Default all. */
  readonly only?: readonly string[] | undefined;
  /** Default a new one, which the report tells. */
  readonly seed?: number | undefined;
  /** The day of the run, for the report and for known failures. Default today. */
  readonly date?: Date | undefined;
  /** Default all of the kit's. Others are for tests of the kit: their report does not pass `assertReport`. */
  readonly checks?: readonly Check[] | undefined;
  /** Called before a check runs. */
  readonly onStart?: ((check: Check) => void) | undefined;
  /** Called after each check, the skipped ones too. */
  readonly onResult?: ((result: CheckResult) => void) | undefined;
}

/** Runs the checks over one subject, one after the other. Rejects only where the subject itself is wrong. */
export async function runChecks(subject: Subject, options: RunOptions = {}): Promise<Report> {
  const { only, seed = newSeed(), date = new Date(), checks = CHECKS, onStart, onResult } = options;
  const plan = planChecks(subject, checks, only);
  const day = dayOf(date);
  const results: CheckResult[] = [];
  for (const entry of plan.entries) {
    let result: CheckResult;
    if ("skipped" in entry) result = entry.skipped;
    else {
      onStart?.(entry.check);
      result = await runCheck(entry, { subject, described: plan.described, seed, date: day });
    }
    results.push(result);
    onResult?.(result);
  }
  return reportOf({ subject, plan, seed, date: day, only, results });
}

export const dayOf = (date: Date): string => date.toISOString().slice(0, 10);

interface Findings {
  readonly subject: Subject;
  readonly plan: Plan;
  readonly seed: number;
  readonly date: string;
  readonly only: readonly string[] | undefined;
  readonly results: readonly CheckResult[];
}

export function reportOf({ subject, plan, seed, date, only, results }: Findings): Report {
  const { name, version, manifest } = plan.described;
  const { wire, cannot, slowness } = subject.backend;
  const totals = totalsOf(results);
  return {
    kit: { ...readKit(), contract: CONTRACT_VERSION },
    package: { name, version },
    manifest,
    wire: { name: wire, cannot, ...(slowness === undefined ? {} : { slowness }) },
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    seed,
    date,
    ...(only === undefined ? {} : { only }),
    totals,
    green: isGreen(totals),
    results,
  };
}
