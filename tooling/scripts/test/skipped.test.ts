import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

test("skipped tests are told with a line for each reason that is frequent, and all listed beside the report", () => {
  const folder = mkdtempSync(join(tmpdir(), "skipped-"));
  try {
    writeFileSync(
      join(folder, "some.test.js"),
      `test("one", (context) => context.skip("no engine here"));
       test("two", (context) => context.skip("no engine here"));
       test("three", (context) => context.skip("no model here"));
       test("four", () => {});
       for (let rare = 1; rare <= 12; rare += 1) test("rare " + rare, (context) => context.skip("no thing " + rare));`,
    );
    writeFileSync(join(folder, "vitest.config.js"), "export default { test: { globals: true } };");
    const reporter = join(root, "tooling/vitest/skipped.js");
    const { stdout } = spawnSync(
      process.execPath,
      [join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", folder, `--reporter=${reporter}`],
      {
        encoding: "utf8",
        env: { ...process.env, VITEST_REPORT: join(folder, "vitest.json"), NO_COLOR: "1" },
      },
    );
    const told = stdout.split("\n").filter((line) => line !== "");
    expect(told).toEqual([
      "skipped (2): no engine here",
      "skipped (1): no model here",
      ...Array.from({ length: 10 }, (_, index) => `skipped (1): no thing ${index + 1}`),
      "skipped (2): for 2 more reasons",
      expect.stringContaining("skipped.txt"),
    ]);
    const listed = readFileSync(join(folder, "skipped.txt"), "utf8").split("\n");
    expect(listed[0]).toBe("no engine here (2)");
    expect(listed[1]).toMatch(/one$/);
    expect(listed[2]).toMatch(/two$/);
    expect(listed.slice(3, 5)).toEqual(["", "no model here (1)"]);
    expect(listed).toContain("no thing 12 (1)");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
