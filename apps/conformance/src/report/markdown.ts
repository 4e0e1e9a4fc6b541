import type { CheckResult, Failed, LiveReport, Report } from "./report.ts";
import { conclusion, countsText, failuresByMessage, groupsOf, skipsByReason, wireText } from "./summary.ts";

/** The report as a page that can be committed and linked. */
export function markdownOf(report: Report): string {
  const { kit, package: plugin, manifest, wire, results, only } = report;
  const facts: readonly (readonly [string, string])[] = [
    ["kit", `${kit.name} ${kit.version}, contract ${kit.contract}`],
    ["wire", wireText(wire)],
    ["declared operations", manifest.operations.join(", ")],
    ["declared features", manifest.features.length === 0 ? "none" : manifest.features.join(", ")],
    ["run", `${report.date}, node ${report.node}, ${report.platform}, seed ${report.seed}`],
    ...(only === undefined ? [] : [["only", only.join(", ")] as const]),
  ];
  const failures = failuresByMessage(results);
  const known = results.filter((result) => result.verdict === "known-failure");
  const skips = [...skipsByReason(results)];
  const blocks = [
    `# Conformance of ${plugin.name} ${plugin.version}`,
    `**${capital(conclusion(report))}**: ${countsText(report.totals)}.`,
    tableText(["", ""], facts),
    ...(failures.length === 0 ? [] : ["## Failures", ...failures.flatMap(failureBlocks)]),
    ...(known.length === 0
      ? []
      : [
          "## Known failures",
          known
            .map(({ id, promise, until, issue }) => `- ${id} ${cell(promise)} Until ${until}: <${issue}>`)
            .join("\n"),
        ]),
    "## Promises",
    ...groupsOf(results).flatMap(({ name, results: own }) => [
      `### ${capital(name)}`,
      tableText(
        ["", "promise", "verdict"],
        own.map((result) => [result.id, result.promise, wordOf(result)]),
      ),
    ]),
    ...(skips.length === 0
      ? []
      : [
          "## Skipped, and why",
          skips.map(([reason, own]) => `- ${own.map(({ id }) => id).join(", ")}: ${cell(reason)}`).join("\n"),
        ]),
    ...(report.live === undefined ? [] : liveBlocks(report.live)),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function failureBlocks([failed, ...same]: readonly [Failed, ...Failed[]]): readonly string[] {
  const ids = [failed, ...same].map(({ id }) => id).join(", ");
  return [
    failed.cause === "leftovers" ? `### Left behind: ${ids}` : `### ${failed.id}: ${cell(failed.promise)}`,
    fenced([failed.message, ...failed.saw.map((line) => `seen: ${line}`)].join("\n")),
    failed.why,
    `How to fix it: ${failed.fix}`,
  ];
}

function liveBlocks({ url, model, results }: LiveReport): readonly string[] {
  return [
    "## Live",
    `Shapes only, of the model \`${model}\` at <${url}>. They count for nothing above.`,
    tableText(
      ["", "promise", "verdict"],
      results.map(({ id, promise, verdict, message }) => [
        id,
        promise,
        message === undefined ? verdict : `${verdict}: ${message}`,
      ]),
    ),
  ];
}

function wordOf({ verdict }: CheckResult): string {
  return verdict === "failed" ? "**failed**" : verdict.replace("-", " ");
}

/** A table whose columns are as wide as their widest cell, as formatters of Markdown want it. */
export function tableText(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(cell));
  const widths = heads.map((head, column) =>
    Math.max(3, head.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(heads), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join("\n");
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** What a provider said may hold anything: in a cell it stays text. */
const cell = (text: string): string => text.replaceAll(/\s*\n\s*/g, " ").replaceAll(/[|<]/g, "\\$&");

/** A fence longer than any inside. */
function fenced(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${fence}text\n${text}\n${fence}`;
}
