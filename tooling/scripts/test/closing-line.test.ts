import { expect, test } from "vitest";

import { closingLine, failedTests } from "../tally.mjs";

const report = (figures: object) => ({ numPassedTests: 9, numFailedTests: 0, testResults: [], ...figures });
const unloaded = { status: "failed", assertionResults: [] };

test("all well is two figures", () => {
  expect(closingLine({ status: 0, vitest: report({}), checks: { build: "ok" } })).toBe("9 passed, 0 failed");
});

test("skipped tests are told where there are any", () => {
  const vitest = report({ numPendingTests: 2, numTodoTests: 1 });
  expect(closingLine({ status: 0, vitest })).toBe("9 passed, 0 failed, 3 skipped");
});

test("a file that cannot be loaded is a failure", () => {
  const vitest = report({
    numFailedTests: 1,
    testResults: [unloaded, { status: "failed", assertionResults: [{}] }],
  });
  expect(closingLine({ status: 1, vitest })).toBe("9 passed, 2 failed");
});

test("a failed check counts beside the tests, and the tests' own step does not count twice", () => {
  const checks = { format: "failed", lint: "failed", tests: "failed" };
  expect(closingLine({ status: 1, vitest: report({ numFailedTests: 3 }), checks })).toBe(
    "9 passed, 5 failed",
  );
});

test("a failed build, before which nothing was tested, is one failure", () => {
  const checks = { build: "failed", packages: "not run", tests: "not run" };
  expect(closingLine({ status: 1, checks })).toBe("0 passed, 1 failed");
});

test("an exit that nothing explains is a failure", () => {
  expect(closingLine({ status: 1 })).toBe("0 passed, 1 failed");
  expect(closingLine({ status: 137, vitest: report({}), checks: { tests: "failed" } })).toBe(
    "9 passed, 1 failed",
  );
});

const file = (name: string, results: readonly object[], more: object = {}) => ({
  name: `/checkout/packages/${name}`,
  status: "failed",
  assertionResults: results,
  ...more,
});
const failedTest = (fullName: string, ...failureMessages: readonly string[]) => ({
  status: "failed",
  fullName,
  failureMessages,
});

test("each failed test is named with its file and the first line of what it said", () => {
  const told = failedTests(
    {
      testResults: [
        file("a.test.ts", [
          { status: "passed", fullName: "one is one" },
          failedTest("two is three", "AssertionError: expected 2 to be 3\n    at somewhere"),
        ]),
        file("b.test.ts", [], { message: "SyntaxError: no such export\nmore" }),
        { ...file("c.test.ts", [{ status: "passed", fullName: "well" }]), status: "passed" },
      ],
    },
    "/checkout",
  );
  expect(told).toEqual([
    "failed: packages/a.test.ts: two is three",
    "  AssertionError: expected 2 to be 3",
    "failed: packages/b.test.ts could not be loaded",
    "  SyntaxError: no such export",
  ]);
});

test("many failures are cut, and say how many more there are", () => {
  const many = Array.from({ length: 25 }, (_, index) => failedTest(`test ${index}`, "Error: no"));
  const told = failedTests({ testResults: [file("a.test.ts", many)] }, "/checkout");
  expect(told).toHaveLength(2 * 20 + 1);
  expect(told.at(-1)).toBe("and 5 more: reports/vitest.json");
});

test("a run without a report, or without failures, names none", () => {
  expect(failedTests(undefined, "/checkout")).toEqual([]);
  expect(failedTests(report({}), "/checkout")).toEqual([]);
});
