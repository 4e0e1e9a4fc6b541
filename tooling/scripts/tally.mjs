// The closing line of `.ci/run`: the sum of Vitest's report and of the other checks, which count one each.
// Runs under whatever Node the machine has. Its argument is the exit status of `npm test`.
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

/**
 * A run that ended badly never counts as all well, whatever the reports say or do not say.
 * @param {{ status: number, vitest?: any, checks?: Record<string, string> }} run
 */
export function closingLine({ status, vitest, checks = {} }) {
  const files = vitest?.testResults ?? [];
  const unloaded = files.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  ).length;
  const checksFailed = Object.entries(checks).filter(
    ([name, outcome]) => name !== "tests" && outcome === "failed",
  );
  const passed = vitest?.numPassedTests ?? 0;
  const skipped = (vitest?.numPendingTests ?? 0) + (vitest?.numTodoTests ?? 0);
  let failed = (vitest?.numFailedTests ?? 0) + unloaded + checksFailed.length;
  if (status !== 0 && failed === 0) failed = 1;
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function readReport(name) {
  try {
    return JSON.parse(readFileSync(new URL(`../../reports/${name}`, import.meta.url), "utf8"));
  } catch {
    return undefined; // The run did not get that far.
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const status = Number(process.argv[2] ?? 1);
  console.log(closingLine({ status, vitest: readReport("vitest.json"), checks: readReport("check.json") }));
}
