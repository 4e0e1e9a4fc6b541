// The closing line of `.ci/run`: the sum of Vitest's report and of the other checks, which count one each.
// Before it, each failed test by name. Runs under whatever Node the machine has. Its argument is the exit status of `npm test`.
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

/** The most that are named: a build that is broken fails everything. */
const NAMED = 20;

/**
 * The failed tests of Vitest's report, each with the first line of what it said.
 * @param {any} vitest
 * @param {string} root the folder that files are told from
 * @returns {string[]}
 */
export function failedTests(vitest, root) {
  const failures = (vitest?.testResults ?? []).flatMap(({ name, status, message, assertionResults }) => {
    const file = name.replace(`${root}/`, "");
    if (status === "failed" && assertionResults.length === 0)
      return [{ what: `${file} could not be loaded`, said: message }];
    return assertionResults
      .filter((result) => result.status === "failed")
      .map(({ fullName, failureMessages }) => ({ what: `${file}: ${fullName}`, said: failureMessages?.[0] }));
  });
  const lines = failures
    .slice(0, NAMED)
    .flatMap(({ what, said = "" }) => [`failed: ${what}`, `  ${said.split("\n")[0]}`]);
  const more = failures.length - NAMED;
  return more > 0 ? [...lines, `and ${more} more: reports/vitest.json`] : lines;
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
  const vitest = readReport("vitest.json");
  const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/[\\/]$/, "");
  for (const line of failedTests(vitest, root)) console.log(line);
  console.log(closingLine({ status, vitest, checks: readReport("check.json") }));
}
