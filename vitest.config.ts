import process from "node:process";

import { defineConfig } from "vitest/config";

const report = process.env["VITEST_REPORT"];

export default defineConfig({
  test: {
    // How many workers there are is for each project to say: tooling/vitest.
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
