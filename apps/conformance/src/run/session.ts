import type { Check } from "../check.ts";
import { CHECKS } from "../checks/index.ts";
import { failureText } from "../report/failure-text.ts";
import type { CheckResult } from "../report/report.ts";
import type { Subject } from "../subject.ts";
import { planChecks } from "./plan.ts";
import { newSeed } from "./random.ts";
import { CLOSE_LIMIT_MS, DEFAULT_LIMIT_MS, runCheck, SETTLE_MS } from "./run-check.ts";
import { dayOf } from "./run-checks.ts";

export interface TestOptions {
  /** Ids (`S08`) and groups (`A`). Default all. */
  readonly only?: readonly string[] | undefined;
  /** Default a new one, which stands in the name of the suite. */
  readonly seed?: number | undefined;
  /** Default all of the kit's. */
  readonly checks?: readonly Check[] | undefined;
}

/** A run as a runner of tests wants it: named tests that are known before any of them runs. */
export interface TestSession {
  readonly name: string;
  readonly tests: readonly SessionTest[];
}

export interface SessionTest {
  readonly name: string;
  /** Why it is not run. */
  readonly skipped?: string | undefined;
  /** Rejects where the promise is broken. */
  readonly run: () => Promise<void>;
  readonly timeoutMs: number;
}

export function createSession(subject: Subject, options: TestOptions = {}): TestSession {
  const { only, seed = newSeed(), checks = CHECKS } = options;
  const { described, entries } = planChecks(subject, checks, only);
  const results: CheckResult[] = [];

  const tests = entries.map((entry): SessionTest => {
    if ("skipped" in entry) {
      const { id, promise, reason } = entry.skipped;
      results.push(entry.skipped);
      return {
        name: `${id} ${promise} [skipped: ${reason}]`,
        skipped: reason,
        run: async () => {},
        timeoutMs: 0,
      };
    }
    const { check, known } = entry;
    const note = known === undefined ? "" : ` [known failure until ${known.until}: ${known.issue}]`;
    return {
      name: `${check.id} ${check.promise}${note}`,
      timeoutMs:
        (check.limitMs ?? DEFAULT_LIMIT_MS) * (subject.backend.slowness ?? 1) +
        2 * CLOSE_LIMIT_MS +
        3 * SETTLE_MS,
      async run() {
        const result = await runCheck(entry, { subject, described, seed, date: dayOf(new Date()) });
        results.push(result);
        if (result.verdict === "failed") throw failure(failureText(result));
      },
    };
  });

  return {
    name: `${described.name} keeps the promises of contract ${described.manifest.contract} (seed ${seed})`,
    tests: [
      ...tests,
      {
        name: "at least one promise was checked and held",
        timeoutMs: DEFAULT_LIMIT_MS,
        async run() {
          const ran = results.filter(({ verdict }) => verdict !== "skipped");
          // A filter of the runner may have left all of them out; then there is nothing to say.
          const filtered = ran.length === 0 && entries.some((entry) => !("skipped" in entry));
          if (filtered || ran.some(({ verdict }) => verdict === "passed")) return;
          throw failure("nothing passed: a suite of skips and known failures proves nothing");
        },
      },
    ],
  };
}

/** The text stands for itself: the stack would only name the kit. */
function failure(text: string): Error {
  const error = new Error(text);
  error.stack = text;
  return error;
}
