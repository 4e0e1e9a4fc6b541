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
    for (const line of linesOf(reasons)) console.log(line);
    const report = process.env.VITEST_REPORT;
    if (report === undefined || reasons.size === 0) return;
    const file = join(dirname(report), "skipped.txt");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, listOf(reasons));
    console.log(`which they are: ${file}`);
  }
}

/** One line for each reason, the most frequent first. */
const linesOf = (reasons) =>
  sorted(reasons).map(([reason, { length }]) => `skipped (${length}): ${reason.split("\n")[0]}`);

/** Every skipped test under its reason. */
const listOf = (reasons) =>
  sorted(reasons)
    .map(([reason, tests]) => `${reason} (${tests.length})\n${tests.map((test) => `  ${test}\n`).join("")}`)
    .join("\n");

const sorted = (reasons) => [...reasons].toSorted(([, left], [, right]) => right.length - left.length);
