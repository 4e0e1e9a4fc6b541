import { failureText } from "./failure-text.ts";
import type { CheckResult, Report } from "./report.ts";
import { groupsOf, wireText } from "./summary.ts";

/** The report as JUnit XML: a suite for each group. A known failure is skipped there, with its link. */
export function junitOf(report: Report): string {
  const { results, totals, kit, package: plugin, seed, date } = report;
  const suites = groupsOf(results).map(({ name, results: own }) => {
    const cases = own.map((result) => testCase(`${plugin.name}.${name}`, result));
    return element("testsuite", { name, ...countsOf(own), timestamp: `${date}T00:00:00` }, cases);
  });
  const properties = Object.entries({
    kit: `${kit.name} ${kit.version}`,
    contract: String(kit.contract),
    version: plugin.version,
    wire: wireText(report.wire),
    seed: String(seed),
    node: report.node,
    platform: report.platform,
    operations: report.manifest.operations.join(" "),
    features: report.manifest.features.join(" "),
  }).map(([name, value]) => element("property", { name, value }));
  const root = element(
    "testsuites",
    { name: plugin.name, tests: totals.checks, failures: totals.failed, time: secondsOf(results) },
    [element("properties", {}, properties), ...suites],
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`;
}

function countsOf(results: readonly CheckResult[]) {
  const count = (...verdicts: readonly CheckResult["verdict"][]): number =>
    results.filter(({ verdict }) => verdicts.includes(verdict)).length;
  return {
    tests: results.length,
    failures: count("failed"),
    skipped: count("skipped", "known-failure"),
    time: secondsOf(results),
  };
}

function testCase(classname: string, result: CheckResult): string {
  const attributes = { classname, name: `${result.id} ${result.promise}`, time: secondsOf([result]) };
  switch (result.verdict) {
    case "passed":
      return element("testcase", attributes);
    case "failed":
      return element("testcase", attributes, [
        element("failure", { message: firstLine(result.message), type: result.cause }, [
          escape(failureText(result)),
        ]),
      ]);
    case "skipped":
      return element("testcase", attributes, [element("skipped", { message: result.reason })]);
    case "known-failure": {
      const message = `known failure until ${result.until}: ${result.issue}: ${firstLine(result.message)}`;
      return element("testcase", attributes, [element("skipped", { message })]);
    }
  }
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";

function secondsOf(results: readonly CheckResult[]): string {
  const ms = results.reduce((sum, result) => sum + (result.verdict === "skipped" ? 0 : result.ms), 0);
  return (ms / 1_000).toFixed(3);
}

function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly string[] = [],
): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(String(value))}"`);
  const open = `<${name}${written.join("")}`;
  return children.length === 0 ? `${open}/>` : `${open}>${children.join("\n")}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
  "\t": "&#9;",
};

/** XML 1.0 has no place for most control characters and for halves of surrogate pairs: they are shown by their number. */
function escape(text: string): string {
  return text
    .replaceAll(/\p{Surrogate}/gu, "\uFFFD")
    .replaceAll(/[&<>"\n\t]/g, (char) => ENTITIES[char] ?? char)
    .replaceAll(/[\p{Cc}\uFFFE\uFFFF]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
