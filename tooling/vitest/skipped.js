// A Vitest reporter: no test is skipped in silence. At the end it says how many were, and why; beside the report that
// was asked for stands which.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";

export default class {
  onTestRunEnd(modules) {
    const reasons = new Map();
    for (const module of modules) {
      for (const test of module.children.allTests("skipped")) {
        const reason = test.result().note ?? "skipped by its own condition";
        reasons.set(reason, [...(reasons.get(reason) ?? []), `${module.project.name}: ${test.fullName}`]);
      }
    }
    const report = process.env.VITEST_REPORT;
    for (const line of linesOf(reasons, report === undefined ? Infinity : TOLD)) console.log(line);
    if (report === undefined || reasons.size === 0) return;
    const file = join(dirname(report), "skipped.txt");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, listOf(reasons));
    console.log(`which they are: ${file}`);
  }
}

/** A CI may keep only the end of what was printed: the rarest reasons stand in the list alone, where there is one. */
const TOLD = 12;

/** One line for each reason, the most frequent first. */
function linesOf(reasons, most) {
  const lines = sorted(reasons).map(
    ([reason, { length }]) => `skipped (${length}): ${reason.split("\n")[0]}`,
  );
  if (lines.length <= most) return lines;
  const others = sorted(reasons).slice(most);
  const tests = others.reduce((sum, [, { length }]) => sum + length, 0);
  return [...lines.slice(0, most), `skipped (${tests}): for ${others.length} more reasons`];
}

/** Every skipped test under its reason. */
const listOf = (reasons) =>
  sorted(reasons)
    .map(([reason, tests]) => `${reason} (${tests.length})\n${tests.map((test) => `  ${test}\n`).join("")}`)
    .join("\n");

const sorted = (reasons) => [...reasons].toSorted(([, left], [, right]) => right.length - left.length);
