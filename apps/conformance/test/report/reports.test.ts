import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";

import { type LiveReport, type Report, runChecks } from "../../src/index.ts";
import { badgeOf } from "../../src/report/badge.ts";
import { inkFor, wrap } from "../../src/report/ink.ts";
import { junitOf } from "../../src/report/junit.ts";
import { markdownOf } from "../../src/report/markdown.ts";
import { tableOf } from "../../src/report/table.ts";
import { asks, check, smallSubject } from "../run/small.ts";

const issue = "https://example.org/issues/1";
const date = new Date("2026-11-21T12:00:00Z");
const leaves = check("A01", async () => void Promise.reject(new Error("forgotten")), { group: "A" });
const subject = smallSubject({}, { knownFailures: [{ check: "U02", issue, until: "2026-12-31" }] });
const mixed = await runChecks(subject, {
  date,
  seed: 7,
  checks: [
    check("S01", asks),
    check("S02", async ({ saw }) => {
      saw("finish at 3 ms | finish at 4 ms");
      assert.fail('two "finish" <events>\u0007 came');
    }),
    leaves,
    { ...leaves, id: "A02", promise: "Promise A02 holds." },
    check("U01", asks, { group: "U", needs: { wire: ["usage"] } }),
    check("U02", async () => assert.fail("0 and not undefined"), { group: "U" }),
    check("E01", asks, { group: "E", needs: { operations: ["embed"] } }),
    check("E02", asks, { group: "E", needs: { operations: ["embed"] } }),
  ],
});
const green = await runChecks(smallSubject(), { date, seed: 7, checks: [check("S01", asks)] });
const part = await runChecks(smallSubject(), { date, seed: 7, checks: [check("S01", asks)], only: ["S"] });
const live: LiveReport = {
  url: "http://127.0.0.1:8080",
  model: "tiny",
  green: true,
  results: [
    { id: "live-stream", promise: "A stream holds.", verdict: "flaky", ms: 5, message: "it took two tries" },
    { id: "live-embed", promise: "Vectors hold.", verdict: "skipped", message: "not declared" },
  ],
};

describe("the JSON report", () => {
  const schema = JSON.parse(
    readFileSync(new URL("../../report.schema.json", import.meta.url), "utf8"),
  ) as object;
  const valid = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false }).compile(schema);
  const written = (report: unknown): unknown => JSON.parse(JSON.stringify(report));

  test("fits the published schema", () => {
    const slow = { ...green, wire: { ...green.wire, slowness: 20 } };
    for (const report of [mixed, green, part, slow, { ...green, live }]) {
      valid(written(report));
      expect(valid.errors).toBe(null);
    }
  });

  test.each([
    ["an unknown verdict", (report: Report) => ({ ...report.results[0], verdict: "fine" })],
    ["a skip that took time", (report: Report) => ({ ...report.results[4], ms: 3 })],
    ["a skip without a reason", (report: Report) => ({ ...report.results[4], reason: undefined })],
    ["a failure that says nothing", (report: Report) => ({ ...report.results[1], message: "" })],
    ["a known failure without a link", (report: Report) => ({ ...report.results[5], issue: "soon" })],
    ["a known failure without its day", (report: Report) => ({ ...report.results[5], until: "soon" })],
    [
      "a pass that is called by no promise",
      (report: Report) => ({ ...report.results[0], promise: undefined }),
    ],
    ["a pass whose promise is empty", (report: Report) => ({ ...report.results[0], promise: "" })],
    ["a pass without its id", (report: Report) => ({ ...report.results[0], id: undefined })],
    ["a pass of a check that cannot be", (report: Report) => ({ ...report.results[0], id: "live-stream" })],
    ["a pass of no group", (report: Report) => ({ ...report.results[0], group: "stream" })],
    [
      "a pass that has a failure's message",
      (report: Report) => ({ ...report.results[0], message: "broken" }),
    ],
    ["a pass that has a skip's reason", (report: Report) => ({ ...report.results[0], reason: "not now" })],
    ["a pass that took no time", (report: Report) => ({ ...report.results[0], ms: 0 })],
    ["a pass that does not say what it saw", (report: Report) => ({ ...report.results[0], saw: undefined })],
    ["a failure that is called a pass", (report: Report) => ({ ...report.results[1], verdict: "passed" })],
    ["a skip that is called a pass", (report: Report) => ({ ...report.results[4], verdict: "passed" })],
    ["a known failure called a failure", (report: Report) => ({ ...report.results[5], verdict: "failed" })],
    ["a failure without a cause", (report: Report) => ({ ...report.results[1], cause: undefined })],
    ["a failure of an unknown cause", (report: Report) => ({ ...report.results[1], cause: "weather" })],
  ])("with %s does not fit", (_name, spoil) => {
    expect(valid(written({ ...mixed, results: [spoil(mixed)] }))).toBe(false);
  });

  test.each([
    ["kit"],
    ["package"],
    ["manifest"],
    ["wire"],
    ["node"],
    ["platform"],
    ["seed"],
    ["date"],
    ["totals"],
    ["green"],
    ["results"],
  ])("without its %s does not fit", (name) => {
    expect(valid(written({ ...green, [name]: undefined }))).toBe(false);
  });

  test.each([
    ["a total below nothing", { totals: { ...green.totals, failed: -1 } }],
    ["a total of a verdict that there is not", { totals: { ...green.totals, fine: 1 } }],
    ["totals that leave the skipped out", { totals: { ...green.totals, skipped: undefined } }],
    ["green as a word", { green: "yes" }],
    ["a date that is a sentence", { date: "yesterday" }],
    ["a seed that is no number", { seed: "7" }],
    ["results that are no list", { results: {} }],
    ["a field of its own", { stars: 5 }],
    ["a manifest without operations", { manifest: { ...green.manifest, operations: undefined } }],
    ["a wire whose lack has no reason", { wire: { ...green.wire, cannot: { usage: null } } }],
    ["a contract that is no number", { kit: { ...green.kit, contract: "1" } }],
    [
      "a live part with an unknown verdict",
      { live: { ...live, results: [{ id: "a", promise: "b", verdict: "fine" }] } },
    ],
  ])("with %s does not fit", (_name, doctored) => {
    expect(valid(written({ ...green, ...doctored }))).toBe(false);
  });
});

describe("the table", () => {
  const text = tableOf(mixed);

  test("names plugin, wire, declaration, kit, contract, node, platform, date and seed", () => {
    expect(text).toContain("small-plugin 1.2.3, over the wire small");
    expect(text).toContain("declares chat, health · tools");
    expect(text).toMatch(/llm-conformance \d+\.\d+\.\d+, contract 1 · node v\d+.* · 2026-11-21/);
    expect(text).toContain("seed 7");
  });

  test("tells when a backend was given more time", () => {
    const slow = { ...green, wire: { ...green.wire, slowness: 20 } };
    expect(tableOf(slow)).toContain("over the wire small, given 20 times the time of a fake");
  });

  test("has a line for each group", () => {
    expect(text).toMatch(/^S stream shape +1 of 2 +\.F$/m);
    expect(text).toMatch(/^U usage and finish +0 of 1 +-k$/m);
    expect(text).toMatch(/^E embeddings +skipped +--$/m);
  });

  test("says of a failure the promise, what happened, what was seen, why it matters and what to do", () => {
    expect(text).toContain("F S02 Promise S02 holds.");
    expect(text).toContain('    what happened: two "finish" <events>');
    expect(text).toContain("    seen: finish at 3 ms | finish at 4 ms");
    expect(text).toContain("    why it matters: Because somebody relies on it.");
    expect(text).toContain("    likely cause and fix: Keep it.");
  });

  test("tells once what was left after several checks", () => {
    expect(text.match(/nobody took it: Error: forgotten/g)).toHaveLength(1);
    expect(text).toContain("F What was promised held, and something was left behind: A01 A02");
  });

  test("gives every skip its reason, and every known failure its link", () => {
    expect(text).toContain('- skipped E01 E02: the manifest does not declare the operation "embed"');
    expect(text).toContain(`k U02 Promise U02 holds.\n    known until 2026-12-31: ${issue}`);
  });

  test("ends with the counts apart and with a conclusion", () => {
    expect(text).toMatch(
      /1 passed, 3 failed, 1 known to fail, 3 skipped in \d+\.\d s · seed 7\nnot conformant: 3 of 8/,
    );
    expect(tableOf(green)).toMatch(/1 passed in .*\nconformant with contract 1\n$/);
    expect(tableOf(part)).toContain("green, but only the chosen checks were run");
  });

  test("puts the live part into a section of its own", () => {
    const both = tableOf({ ...green, live });
    expect(both).toContain(
      "Live, shapes only: tiny at http://127.0.0.1:8080\nflaky    live-stream A stream holds.",
    );
    expect(both).toContain("1 passed in");
  });

  test("has colours only for a terminal, and never with NO_COLOR", () => {
    const tty = { isTTY: true };
    expect(tableOf(mixed, { ink: inkFor(tty, {}) })).toContain("\u001B[31m");
    for (const [stream, env] of [
      [tty, { NO_COLOR: "1" }],
      [tty, { NO_COLOR: "1", FORCE_COLOR: "1" }],
      [tty, { TERM: "dumb" }],
      [{}, {}],
    ] as const) {
      expect(tableOf(mixed, { ink: inkFor(stream, env) })).toBe(text);
    }
  });

  test("breaks long lines between words", () => {
    expect(wrap("one two three", 9, "  ")).toBe("one two\n  three");
    const lines = tableOf(mixed, { width: 60 }).split("\n").slice(4);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });
});

describe("JUnit", () => {
  const xml = junitOf(mixed);

  test("has a suite for each group, with its counts", () => {
    expect(xml).toMatch(/<testsuites name="small-plugin" tests="8" failures="3" time="[\d.]+">/);
    expect(xml).toMatch(
      /<testsuite name="usage and finish" tests="2" failures="0" skipped="2" time="[\d.]+"/,
    );
    expect(xml).toContain('<property name="seed" value="7"/>');
  });

  test("keeps any text well-formed", () => {
    expect(xml).toContain('message="two &quot;finish&quot; &lt;events&gt;\\u0007 came"');
    // Every tag that is opened is closed, in order.
    const open: string[] = [];
    const wrong: string[] = [];
    for (const [tag, close, name = "", self] of xml.matchAll(/<(\/?)([a-z]+)(?: [a-z]+="[^"<]*")*(\/?)>/g)) {
      if (close === "/" && open.pop() !== name) wrong.push(tag);
      if (close !== "/" && self !== "/") open.push(name);
    }
    expect([...open, ...wrong]).toEqual([]);
    expect(xml.replaceAll(/<[^<>]+>/g, "")).not.toContain("<");
  });

  test("tells skips and known failures as skipped, with why", () => {
    expect(xml).toContain(
      `<skipped message="known failure until 2026-12-31: ${issue}: 0 and not undefined"/>`,
    );
    expect(xml).toContain("does not declare the operation &quot;embed&quot;");
  });
});

describe("Markdown", () => {
  const page = markdownOf(mixed);

  test("begins with the conclusion and the facts", () => {
    expect(page).toMatch(
      /^# Conformance of small-plugin 1\.2\.3\n\n\*\*Not conformant: 3 of 8 checks failed\*\*: 1 passed, 3 failed/,
    );
    expect(page).toMatch(/\| declared operations \| chat, health/);
    expect(page).toMatch(/\| run +\| 2026-11-21, node v/);
  });

  test("has every promise with its verdict, and every skip with its reason", () => {
    for (const { id, promise } of mixed.results) expect(page).toContain(`| ${id} | ${promise} |`);
    expect(page).toContain('- E01, E02: the manifest does not declare the operation "embed"');
    expect(page).toContain(`- U02 Promise U02 holds. Until 2026-12-31: <${issue}>`);
  });

  test("of a green run has no failures to tell", () => {
    expect(markdownOf(green)).not.toContain("## Failures");
    expect(markdownOf({ ...green, live })).toContain("## Live\n\nShapes only, of the model `tiny`");
  });
});

test("a badge says red, yellow or green", () => {
  expect(badgeOf(green)).toEqual({
    schemaVersion: 1,
    label: "llm conformance 1",
    message: "1 passed",
    color: "brightgreen",
  });
  expect(badgeOf(part)).toMatchObject({ message: "1 passed (a part)", color: "yellow" });
  expect(badgeOf(mixed)).toMatchObject({
    message: "1 passed, 3 failed, 1 known to fail, 3 skipped",
    color: "red",
  });
});
