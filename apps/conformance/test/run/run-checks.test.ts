import assert from "node:assert/strict";

import { describe, expect, test } from "vitest";

import { plainFake } from "../../src/fakes/index.ts";
import { type Check, type FakeBackend, runChecks, WIRE_ABILITIES } from "../../src/index.ts";
import { asks, check, smallSubject } from "./small.ts";

const date = new Date("2026-11-21T12:00:00Z");

describe("a run", () => {
  test("says what passed, with what was seen and how many requests arrived", async () => {
    const report = await runChecks(smallSubject(), { checks: [check("S01", asks)], seed: 1, date });
    expect(report).toMatchObject({
      package: { name: "small-plugin", version: "1.2.3" },
      wire: { name: "small", cannot: { usage: "it never counts" } },
      seed: 1,
      date: "2026-11-21",
      green: true,
      totals: { checks: 1, passed: 1, failed: 0, skipped: 0, "known-failure": 0 },
    });
    expect(report.results).toMatchObject([
      { id: "S01", verdict: "passed", requests: 1, saw: ["start text-start text-delta text-end finish"] },
    ]);
  });

  test("says what failed, in the words of the assertion, with why and how to fix it", async () => {
    const broken = check("S01", async ({ start, saw }) => {
      await start();
      saw("a finish came twice");
      assert.equal(2, 1, "2 finish events came, not 1");
    });
    const report = await runChecks(smallSubject(), { checks: [broken], date });
    expect(report.green).toBe(false);
    expect(report.results).toMatchObject([
      {
        verdict: "failed",
        cause: "promise",
        message: expect.stringMatching(/^2 finish events came, not 1/),
        saw: ["a finish came twice", "on the wire: no request"],
        why: "Because somebody relies on it.",
        fix: "Keep it.",
      },
    ]);
  });

  test("says what was on the wire when a promise was found broken", async () => {
    const broken = check("S01", async (bench) => {
      await asks(bench);
      assert.fail("the answer is wrong");
    });
    const { results } = await runChecks(smallSubject(), { checks: [broken], date });
    expect(results[0]).toMatchObject({
      verdict: "failed",
      saw: [
        "start text-start text-delta text-end finish",
        expect.stringMatching(/^on the wire: GET \/, its reply had no end, and the client had not left$/),
      ],
    });
  });

  test("skips what the manifest does not declare, and says so", async () => {
    const needs = { operations: ["chat", "embed"], features: ["vision"] } as const;
    const report = await runChecks(smallSubject(), { checks: [check("E01", asks, { needs })], date });
    expect(report.results).toMatchObject([
      { verdict: "skipped", reason: 'the manifest does not declare the operation "embed"' },
    ]);
  });

  test("skips what the wire has no words for, with the wire's own reason", async () => {
    const checks = [check("U01", asks, { needs: { wire: ["usage"] } }), check("S01", asks)];
    const report = await runChecks(smallSubject(), { checks, date });
    expect(report.results[0]).toMatchObject({
      verdict: "skipped",
      reason: `small has no "usage" (${WIRE_ABILITIES.usage}): it never counts`,
    });
    expect(report.totals).toMatchObject({ passed: 1, skipped: 1 });
  });

  test("is not green where nothing passed", async () => {
    const checks = [check("U01", asks, { needs: { wire: ["usage"] } })];
    const report = await runChecks(smallSubject(), { checks, date });
    expect(report.totals).toMatchObject({ passed: 0, failed: 0, skipped: 1 });
    expect(report.green).toBe(false);
  });

  test("takes single checks and groups, in the kit's order", async () => {
    const checks = [check("S01", asks), check("S02", asks), check("A01", asks, { group: "A" })];
    const report = await runChecks(smallSubject(), { checks, only: ["a", "s02"], date });
    expect(report.results.map(({ id }) => id)).toEqual(["S02", "A01"]);
    expect(report.only).toEqual(["a", "s02"]);
  });

  test("refuses a check that there is not, and says which may be meant", async () => {
    const checks = [check("S01", asks), check("S10", asks)];
    await expect(runChecks(smallSubject(), { checks, only: ["S011"] })).rejects.toMatchObject({
      code: "invalid-request",
      message: expect.stringContaining('there is no check "S011" (did you mean S01'),
    });
  });

  test("gives the same row of random figures for the same seed, whichever others run", async () => {
    const rows: number[][] = [];
    const draws = check("S02", async ({ random }) => void rows.push([random(), random(), random()]));
    await runChecks(smallSubject(), { checks: [check("S01", asks), draws], seed: 7, date });
    await runChecks(smallSubject(), { checks: [draws], seed: 7, date });
    await runChecks(smallSubject(), { checks: [draws], seed: 8, date });
    expect(rows[1]).toEqual(rows[0]);
    expect(rows[2]).not.toEqual(rows[0]);
    for (const figure of rows.flat()) expect(figure >= 0 && figure < 1).toBe(true);
  });

  test("ends a check that does not end, and tells it through its signal", async () => {
    let told = false;
    const endless = check(
      "S01",
      ({ signal }) => new Promise(() => signal.addEventListener("abort", () => (told = true))),
      { limitMs: 50 },
    );
    const report = await runChecks(smallSubject(), { checks: [endless], date });
    expect(report.results).toMatchObject([
      { verdict: "failed", cause: "time", message: "the check was not over within 50 ms" },
    ]);
    expect(told).toBe(true);
  });

  test("runs one check after the other, also when two runs begin at once", async () => {
    let running = 0;
    let most = 0;
    const slow = check("S01", async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => void setTimeout(resolve, 10));
      running -= 1;
    });
    await Promise.all([1, 2, 3].map(() => runChecks(smallSubject(), { checks: [slow], date })));
    expect(most).toBe(1);
  });

  test("refuses a backend that lacks more than it can explain", async () => {
    const run = (backend: Partial<FakeBackend>) =>
      runChecks(smallSubject({}, { backend: { ...smallSubject().backend, ...backend } }), { checks: [] });
    await expect(run({ cannot: { sockets: "" } })).rejects.toThrow('has no "sockets", and does not say why');
    await expect(run({ cannot: { soockets: "why" } as object })).rejects.toThrow("is no ability of a wire");
    await expect(run({ wire: " " })).rejects.toThrow("has no name");
    await expect(run({ wire: "plain", cannot: { sockets: "not today" } })).rejects.toThrow(
      '"plain" is the name of a fake of the kit, and that one has "sockets"',
    );
    await expect(run({ wire: "plain", cannot: plainFake.cannot })).resolves.toMatchObject({ green: false });
  });

  test("tells that it was settings() of the subject that threw", async () => {
    const settings = () => {
      throw new Error("no such setting");
    };
    const started = check("S01", async (bench) => void (await bench.start()));
    const { results } = await runChecks(smallSubject({}, { settings }), { checks: [started] });
    expect(results).toMatchObject([
      {
        verdict: "failed",
        message: expect.stringContaining("settings() of the subject threw Error: no such setting"),
      },
    ]);
  });

  test("refuses a subject whose package is no provider", async () => {
    const subject = smallSubject({}, { package: new URL("../../package.json", import.meta.url) });
    await expect(runChecks(subject, { checks: [] })).rejects.toMatchObject({ code: "plugin-invalid" });
  });
});

describe("a known failure", () => {
  const issue = "https://example.org/issues/1";
  const fails = check("S01", async () => assert.fail("still broken"));
  const passes = check("S01", async () => undefined);
  const run = (checks: readonly Check[], until: string) =>
    runChecks(smallSubject({}, { knownFailures: [{ check: "S01", issue, until }] }), { checks, date });

  test("is neither a pass nor a failure until its last day", async () => {
    const report = await run([fails], "2026-11-21");
    expect(report.results).toMatchObject([
      { verdict: "known-failure", message: "still broken", issue, until: "2026-11-21" },
    ]);
    expect(report).toMatchObject({ green: false, totals: { passed: 0, failed: 0, "known-failure": 1 } });
  });

  test("fails after that day", async () => {
    const report = await run([fails], "2026-11-20");
    expect(report.results).toMatchObject([
      { verdict: "failed", cause: "expired", message: expect.stringContaining("until 2026-11-20") },
    ]);
  });

  test("fails where its day is more than a year ahead", async () => {
    const report = await run([fails], "2027-11-22");
    expect(report.results).toMatchObject([
      {
        verdict: "failed",
        cause: "expired",
        message: `a known failure ends within a year, by 2027-11-21 and not 2027-11-22 (${issue}): still broken`,
      },
    ]);
    expect((await run([fails], "2027-11-21")).results).toMatchObject([{ verdict: "known-failure" }]);
  });

  test("fails as soon as it passes", async () => {
    const report = await run([passes], "2027-01-31");
    expect(report.results).toMatchObject([
      { verdict: "failed", cause: "kept", message: expect.stringContaining("remove S01") },
    ]);
  });

  test("must name a check, a link and a date", async () => {
    await expect(run([check("S02", asks)], "2027-01-31")).rejects.toThrow('there is no check "S01"');
    for (const day of ["soon", "2027-13-01", "2027-02-30"])
      await expect(run([fails], day)).rejects.toThrow("ends on no date");
    const subject = smallSubject(
      {},
      { knownFailures: [{ check: "S01", issue: "#12", until: "2027-01-31" }] },
    );
    await expect(runChecks(subject, { checks: [fails] })).rejects.toThrow("no link");
    const known = { check: "S01", issue, until: "2027-01-31" };
    const twice = smallSubject({}, { knownFailures: [{ ...known, until: "2020-01-01" }, known] });
    await expect(runChecks(twice, { checks: [fails] })).rejects.toThrow("stands there twice");
  });
});
