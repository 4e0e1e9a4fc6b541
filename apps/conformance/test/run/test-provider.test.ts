import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import { createSession } from "../../src/run/session.ts";
import { testProvider } from "../../src/vitest.ts";
import { asks, check, smallSubject } from "./small.ts";

const issue = "https://example.org/issues/1";
/** A day that is always ahead, and never by more than a year. */
const until = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
const fails = check("S02", async () => assert.fail("broken"));
const skipped = check("E01", asks, { needs: { operations: ["embed"] } });

// This file is itself a suite as an author writes it: a pass, a skip and a known failure.
testProvider(smallSubject({}, { knownFailures: [{ check: "S02", issue, until }] }), {
  checks: [check("S01", asks), fails, skipped],
  seed: 7,
});

describe("a suite", () => {
  test("is named for the plugin and the seed, its tests for their promises", () => {
    const { name, tests } = createSession(
      smallSubject({}, { knownFailures: [{ check: "S02", issue, until }] }),
      { checks: [check("S01", asks), fails, skipped], seed: 7 },
    );
    expect(name).toBe("small-plugin keeps the promises of contract 1 (seed 7)");
    expect(tests.map((one) => one.name)).toEqual([
      "S01 Promise S01 holds.",
      `S02 Promise S02 holds. [known failure until ${until}: ${issue}]`,
      'E01 Promise E01 holds. [skipped: the manifest does not declare the operation "embed"]',
      "at least one promise was checked and held",
    ]);
  });

  test("fails with the promise, what was seen, why it matters and its likely cause", async () => {
    const broken = check("S01", async ({ saw }) => {
      saw("finish came twice");
      assert.fail("2 finish events");
    });
    const { tests } = createSession(smallSubject(), { checks: [broken] });
    await expect(tests[0]?.run()).rejects.toThrow(
      [
        "S01 Promise S01 holds.",
        "2 finish events",
        "",
        "seen:",
        "  finish came twice",
        "",
        "why it matters: Because somebody relies on it.",
        "likely cause and fix: Keep it.",
      ].join("\n"),
    );
  });

  test("of skips and known failures alone is not green", async () => {
    const skips = createSession(smallSubject(), { checks: [skipped] });
    await expect(skips.tests.at(-1)?.run()).rejects.toThrow("nothing passed");
    const known = createSession(smallSubject({}, { knownFailures: [{ check: "S02", issue, until }] }), {
      checks: [fails],
    });
    await known.tests[0]?.run();
    await expect(known.tests.at(-1)?.run()).rejects.toThrow("nothing passed");
  });

  test("lets a filter of the runner choose", async () => {
    const { tests } = createSession(smallSubject(), { checks: [check("S01", asks)] });
    await expect(tests.at(-1)?.run()).resolves.toBeUndefined();
  });
});

describe("the same for Node's own runner", () => {
  const run = (file: string) =>
    promisify(execFile)(
      process.execPath,
      [
        "--conditions=@enginehouse/source",
        "--test-reporter=tap",
        fileURLToPath(new URL(file, import.meta.url)),
      ],
      // Inside of it, a test runner would speak to this one.
      { env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
    );

  test("is green, and shows skips", async () => {
    const { stdout } = await run("node-green.ts");
    expect(stdout).toContain("ok 1 - S01 Promise S01 holds.");
    expect(stdout).toContain('# SKIP the manifest does not declare the operation "embed"');
    expect(stdout).toContain("# pass 2");
    expect(stdout).toContain("# skipped 1");
  });

  test("is red, with the text of the failure", async () => {
    const error = await run("node-red.ts").catch(
      (reason: unknown) => reason as { stdout: string; code: number },
    );
    expect(error).toMatchObject({ code: 1 });
    expect(error.stdout).toContain("not ok 1 - S01 Promise S01 holds.");
    expect(error.stdout).toContain("after the check: a promise was rejected and nobody took it");
    expect(error.stdout).toContain("likely cause and fix: End timers and listeners");
  });
});
