import process from "node:process";

import { expect, test } from "vitest";

import { closingText, runStep } from "../steps.mjs";

const script = (text: string) => [process.execPath, "-e", text];
const quietly = { write: () => true };

test("a step keeps its last lines, whichever stream they came on, and passes all of them on", async () => {
  const told: string[] = [];
  const sink = { write: (text: string) => told.push(text) };
  const counting = "for (let i = 1; i <= 50; i += 1) console.log(`line ${i}`);";
  const command = script(
    `${counting} process.stdout.write("", () => { console.error("why"); process.exit(3); })`,
  );
  const { ok, tail } = await runStep(command, { sink, keep: 3 });
  expect(ok).toBe(false);
  expect(tail.toSorted()).toEqual(["line 49", "line 50", "why"]);
  expect(told.join("").split("\n")).toHaveLength(52);
});

test("a step that ends well is ok, and one that cannot be started is told", async () => {
  expect((await runStep(script(""), { sink: quietly })).ok).toBe(true);
  const missing = await runStep(["there-is-no-such-program"], { sink: quietly });
  expect(missing.ok).toBe(false);
  expect(missing.tail.join("\n")).toContain("could not run there-is-no-such-program");
});

const steps = [
  { name: "format", advice: "pnpm fix" },
  { name: "build" },
  { name: "packages", needs: "build" },
  { name: "tests" },
];

test("what a failed step said last is said again at the end, before the verdicts", () => {
  const outcomes = { format: "failed", build: "ok", packages: "failed", tests: "ok" };
  const tails = { format: ["a.ts is not formatted"], packages: ["over its ceiling of 80 kB", "exit 1"] };
  expect(closingText(steps, outcomes, tails).split("\n")).toEqual([
    "[check] the last lines of format:",
    "  a.ts is not formatted",
    "[check] the last lines of packages:",
    "  over its ceiling of 80 kB",
    "  exit 1",
    "[check] format failed; `pnpm fix` may help",
    "[check] packages failed",
  ]);
});

test("a step that waited in vain is told with what it needs", () => {
  const outcomes = { format: "ok", build: "failed", packages: "not run", tests: "ok" };
  expect(closingText(steps, outcomes, {}).split("\n")).toEqual([
    "[check] build failed",
    "[check] packages not run: it needs build",
  ]);
});

test("all well is one line", () => {
  const outcomes = { format: "ok", build: "ok", packages: "ok", tests: "ok" };
  expect(closingText(steps, outcomes, {})).toBe("[check] all 4 steps passed");
});
