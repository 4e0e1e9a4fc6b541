import { type Ink, plain, wrap } from "./ink.ts";
import type { CheckResult, Failed, LiveReport, Report } from "./report.ts";
import {
  conclusion,
  countsText,
  declarationText,
  failuresByMessage,
  groupsOf,
  skipsByReason,
  wireText,
} from "./summary.ts";

export interface TableOptions {
  readonly ink?: Ink | undefined;
  /** Columns. Default 100. */
  readonly width?: number | undefined;
}

/** The report as a person reads it in a terminal: the groups, then what needs their eyes, then the sum. */
export function tableOf(report: Report, { ink = plain, width = 100 }: TableOptions = {}): string {
  const { results, totals, green } = report;
  const seconds = (results.reduce((sum, result) => sum + msOf(result), 0) / 1_000).toFixed(1);
  const sections = [
    headOf(report, ink),
    groupsOf(results)
      .map(({ group, name, results: own }) => groupLine(group, name, own, ink))
      .join("\n"),
    ...failuresByMessage(results).map((failures) => failureSection(failures, ink, width)),
    ...knownSections(results, ink, width),
    skipSection(results, ink, width),
    ...(report.live === undefined ? [] : [liveSection(report.live, ink, width)]),
    [
      `${countsText(totals)} in ${seconds} s · seed ${report.seed}`,
      ink(green ? "green" : "red", conclusion(report)),
    ].join("\n"),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function headOf({ kit, package: plugin, manifest, wire, node, platform, date }: Report, ink: Ink): string {
  return [
    ink("bold", `${plugin.name} ${plugin.version}, over the wire ${wireText(wire)}`),
    ink("dim", `declares ${declarationText(manifest)}`),
    ink("dim", `${kit.name} ${kit.version}, contract ${kit.contract} · node ${node} · ${platform} · ${date}`),
  ].join("\n");
}

function groupLine(group: string, name: string, results: readonly CheckResult[], ink: Ink): string {
  const marks = results.map(({ verdict }) => MARKS[verdict](ink)).join("");
  const passed = results.filter(({ verdict }) => verdict === "passed").length;
  const tried = results.filter(({ verdict }) => verdict !== "skipped").length;
  const count = tried === 0 ? "skipped" : `${passed} of ${tried}`;
  return `${group} ${name.padEnd(24)} ${count.padEnd(10)} ${marks}`;
}

const MARKS: Readonly<Record<CheckResult["verdict"], (ink: Ink) => string>> = {
  passed: (ink) => ink("green", "."),
  failed: (ink) => ink("red", "F"),
  skipped: (ink) => ink("dim", "-"),
  "known-failure": (ink) => ink("yellow", "k"),
};

/** What a person needs of a failure: the promise, what happened, what was seen, why it matters, and its likely cause. */
function failureSection([failed, ...same]: readonly [Failed, ...Failed[]], ink: Ink, width: number): string {
  const indent = "      ";
  const part = (name: string, text: string): string =>
    `    ${ink("dim", `${name}:`)} ${wrap(text, width, indent)}`;
  const ids = [failed, ...same].map(({ id }) => id).join(" ");
  return [
    failed.cause === "leftovers"
      ? ink(
          "red",
          `F ${wrap(`What was promised held, and something was left behind: ${ids}`, width, "    ")}`,
        )
      : ink("red", `F ${failed.id} ${failed.promise}`),
    part("what happened", failed.message),
    ...(failed.saw.length === 0 ? [] : [part("seen", failed.saw.join("\n"))]),
    part("why it matters", failed.why),
    part("likely cause and fix", failed.fix),
  ].join("\n");
}

function knownSections(results: readonly CheckResult[], ink: Ink, width: number): readonly string[] {
  return results
    .filter((result) => result.verdict === "known-failure")
    .map(({ id, promise, message, issue, until }) =>
      [
        ink("yellow", `k ${id} ${promise}`),
        `    known until ${until}: ${issue}`,
        `    ${wrap(message, width, "      ")}`,
      ].join("\n"),
    );
}

function skipSection(results: readonly CheckResult[], ink: Ink, width: number): string {
  return [...skipsByReason(results)]
    .map(([reason, skips]) => {
      const ids = skips.map(({ id }) => id).join(" ");
      return ink("dim", wrap(`- skipped ${ids}: ${reason}`, width, "    "));
    })
    .join("\n");
}

function liveSection({ url, model, results, green }: LiveReport, ink: Ink, width: number): string {
  return [
    ink("bold", `Live, shapes only: ${model} at ${url}`),
    ...results.map(({ id, promise, verdict, message }) => {
      const colour = { passed: "green", flaky: "yellow", failed: "red", skipped: "dim" } as const;
      const told = message === undefined ? "" : `\n    ${wrap(message, width, "      ")}`;
      return `${ink(colour[verdict], verdict.padEnd(8))} ${id} ${promise}${told}`;
    }),
    green ? "the shapes hold" : "the shapes do not hold",
  ].join("\n");
}

const msOf = (result: CheckResult): number => (result.verdict === "skipped" ? 0 : result.ms);
