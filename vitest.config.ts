import { availableParallelism } from "node:os";
import process from "node:process";

import { defineConfig } from "vitest/config";

const report = process.env["VITEST_REPORT"];

export default defineConfig({
  test: {
    // On two cores Vitest would take one: much of what is tested here waits for sockets, children and deadlines.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      "packages/*",
      "apps/*",
      "tooling/house",
      "tooling/installs",
      "tooling/acceptance",
      "tooling/scripts",
    ],
    reporters: [
      "default",
      "./tooling/vitest/skipped.js",
      ...(report === undefined ? [] : [["json", { outputFile: report }] satisfies [string, object]]),
    ],
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**", "apps/*/src/**"],
      reporter: ["text-summary", "json-summary", "lcov"],
    },
  },
});
