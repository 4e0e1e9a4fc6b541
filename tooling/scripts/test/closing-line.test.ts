import { expect, test } from "vitest";

import { closingLine } from "../tally.mjs";

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
