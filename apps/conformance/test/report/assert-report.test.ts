import assert from "node:assert/strict";

import { describe, expect, test } from "vitest";

import { assertReport, type CheckResult, type Report, runChecks, totalsOf } from "../../src/index.ts";
import { asks, check, smallSubject } from "../run/small.ts";

const checks = [
  check("S01", asks),
  check("S02", async () => assert.fail("broken")),
  check("E01", asks, { group: "E", needs: { operations: ["embed"] } }),
  check("U01", asks, { group: "U", needs: { wire: ["usage"] } }),
];
const honest = await runChecks(smallSubject(), { checks });

/** The same run, told by another kit. */
const told = (change: (result: CheckResult) => CheckResult | undefined): Report => {
  const results = honest.results.map(change).filter((result) => result !== undefined);
  const totals = totalsOf(results);
  return { ...honest, results, totals, green: totals.failed === 0 && totals.passed > 0 };
};

test("a report that the kit made holds", () => {
  assertReport(honest, checks);
  expect(honest.totals).toEqual({ checks: 4, passed: 1, failed: 1, skipped: 2, "known-failure": 0 });
});

test("one of chosen checks holds, and says what was chosen", async () => {
  const report = await runChecks(smallSubject(), { checks, only: ["E", "S01"] });
  assertReport(report, checks);
  expect(() => assertReport({ ...report, only: undefined }, checks)).toThrow("S02 is in the report 0 times");
});

describe("a kit does not get through that", () => {
  test("counts skips as passes", () => {
    const report = told((result) => (result.verdict === "skipped" ? passed(result) : result));
    expect(() => assertReport(report, checks)).toThrow(
      'E01 counts as passed and had to be skipped: the manifest does not declare the operation "embed"',
    );
  });

  test("counts skips as passes of the wire", () => {
    const report = told((result) => (result.id === "U01" ? passed(result) : result));
    expect(() => assertReport(report, checks)).toThrow(
      "U01 counts as passed and had to be skipped: small has no",
    );
  });

  test("runs checks without what they need", async () => {
    const needless = checks.map((one) => ({ ...one, needs: undefined }));
    const report = await runChecks(smallSubject(), { checks: needless });
    expect(() => assertReport(report, checks)).toThrow("E01 counts as passed and had to be skipped");
  });

  test("skips what applies", () => {
    const report = told((result) => {
      const { id, group, promise } = result;
      return id === "S02" ? { id, group, promise, verdict: "skipped", reason: "flaky" } : result;
    });
    expect(() => assertReport(report, checks)).toThrow("S02 was skipped and applies");
  });

  test("lacks what the fake of its name has", () => {
    const wire = { name: "plain", cannot: { usage: "not today" } };
    expect(() => assertReport({ ...honest, wire }, checks)).toThrow(
      '"plain" is the name of a fake of the kit, and that one has "usage"',
    );
    const silent = { ...honest.wire, cannot: { usage: "" } };
    expect(() => assertReport({ ...honest, wire: silent }, checks)).toThrow("does not say why");
  });

  test("gives a skip another reason", () => {
    const report = told((result) =>
      result.verdict === "skipped" ? { ...result, reason: "not now" } : result,
    );
    expect(() => assertReport(report, checks)).toThrow('E01 was skipped because "not now"');
  });

  test("leaves a failure out, or tells a pass twice", () => {
    expect(() =>
      assertReport(
        told((result) => (result.id === "S02" ? undefined : result)),
        checks,
      ),
    ).toThrow("S02 is in the report 0 times");
    const twice = { ...honest, results: [...honest.results, ...honest.results.slice(0, 1)] };
    expect(() => assertReport(twice, checks)).toThrow("S01 is in the report 2 times");
  });

  test("makes up a check", () => {
    const report = { ...honest, results: [...honest.results, { ...passed(honest.results[0]), id: "S99" }] };
    expect(() => assertReport(report, checks)).toThrow("S99 is in the report and no check");
  });

  test("counts wrongly, or calls itself green", () => {
    expect(() => assertReport({ ...honest, totals: { ...honest.totals, passed: 4 } }, checks)).toThrow(
      "the totals say 4 passed, the results 1",
    );
    expect(() => assertReport({ ...honest, green: true }, checks)).toThrow("it calls itself green");
  });

  test("passes what did not run", () => {
    const report = told((result) => (result.id === "S01" ? { ...passed(result), ms: 0 } : result));
    expect(() => assertReport(report, checks)).toThrow("S01 counts as passed and took no time");
  });

  test("has a word of its own for a failure", () => {
    const report = told((result) =>
      result.id === "S02" ? ({ ...result, verdict: "tolerated" } as unknown as CheckResult) : result,
    );
    expect(report.green).toBe(true);
    expect(() => assertReport(report, checks)).toThrow('S02 is called "tolerated", which is no verdict');
    const live = { url: "http://127.0.0.1:1", model: "m", green: true };
    const results = [
      { id: "live-reach", promise: "It is there.", verdict: "passed" as const },
      { id: "live-chat", promise: "It answers.", verdict: "tolerated" as "passed" },
    ];
    expect(() => assertReport({ ...honest, live: { ...live, results } }, checks)).toThrow(
      'live-chat is called "tolerated", which is no verdict',
    );
  });

  test("promises less", () => {
    const report = told((result) => ({ ...result, promise: "Something." }));
    expect(() => assertReport(report, checks)).toThrow("S01 does not have the promise of the kit");
  });

  const known = (until: string): Report =>
    told((result) =>
      result.id === "S02"
        ? {
            ...passed(result),
            verdict: "known-failure",
            message: "broken",
            issue: "https://example.org/1",
            until,
          }
        : result,
    );

  test("goes on with a known failure after its day", () => {
    expect(() => assertReport(known("2020-01-01"), checks)).toThrow(
      "S02 was a known failure until 2020-01-01 only",
    );
  });

  test("knows a failure for longer than a year", () => {
    expect(() => assertReport(known("2999-12-31"), checks)).toThrow(
      "S02 is a known failure until 2999-12-31, and not",
    );
  });
});

function passed(result: CheckResult | undefined): Extract<CheckResult, { verdict: "passed" }> {
  if (result === undefined) throw new Error("no result");
  const { id, group, promise } = result;
  return { id, group, promise, verdict: "passed", ms: 3, requests: 0, saw: [] };
}
