import { CHECKS, type Report, totalsOf } from "@enginehouse/llm-conformance";
import { describe, expect, test } from "vitest";

import { isThere, members, read } from "../checks/house.ts";
import { faultsOfReport } from "../checks/reports.ts";

const providers = members("packages").filter(({ manifest }) => manifest.llmProvider !== undefined);

describe("the conformance report", () => {
  test.each(providers)("that $folder links is whole, green and up to date", ({ folder, manifest }) => {
    const path = `${folder}/${manifest.llmProvider?.conformance?.replace("./", "")}`;
    const faults = faultsOfReport(folder, manifest, isThere(path) ? read(path) : undefined);
    expect(faults, "`pnpm conformance` writes it anew").toEqual([]);
  });

  test.each(providers)("of $folder is linked from its README, where people look for it", ({ folder }) => {
    expect(read(`${folder}/README.md`)).toContain("[its report](conformance.md)");
  });
});

describe("the check of reports", () => {
  const checks = CHECKS.filter(({ id }) => id === "S01" || id === "S02");
  const results = checks.map(
    ({ id, group, promise }) =>
      ({ id, group, promise, verdict: "passed", ms: 3, requests: 1, saw: [] }) as const,
  );
  const report: Report = {
    kit: { name: "kit", version: "1.0.0", contract: 1 },
    package: { name: "acme", version: "1.0.0" },
    manifest: {
      contract: 1,
      id: "acme",
      entry: "./dist/index.js",
      operations: ["chat"],
      features: ["tools"],
      modelFormats: [],
    },
    wire: { name: "acme", cannot: {} },
    node: "v24.0.0",
    platform: "linux-x64",
    seed: 1,
    date: "2026-11-21",
    totals: totalsOf(results),
    green: true,
    results,
  };
  const llmProvider = { ...report.manifest, conformance: "./conformance.json" };
  const manifest = { name: report.package.name, files: ["dist", "conformance.json"], llmProvider };
  const ask = (change: object, other: object = {}) =>
    faultsOfReport("packages/x", { ...manifest, ...other }, JSON.stringify({ ...report, ...change }), checks);

  test("is content with a report that is whole and green", () => {
    expect(ask({})).toEqual([]);
  });

  test.each<[string, Partial<Report>, object, string]>([
    ["another package", {}, { name: "other" }, "it is about acme"],
    ["no publication", {}, { files: ["dist"] }, "it is not published"],
    ["a part", { only: ["S01"] }, {}, "it is about some of the checks only"],
    ["a check left out", { results: report.results.slice(1) }, {}, "S01 is in the report 0 times, not once"],
    ["a failure", { green: false }, {}, "it is not green"],
    [
      "another declaration",
      {},
      { llmProvider: { ...llmProvider, features: [] } },
      'its features are ["tools"], the manifest\'s []',
    ],
  ])("refuses %s", (_name, change, other, says) => {
    expect(ask(change, other)).toContain(`packages/x/conformance.json: ${says}`);
  });

  test("refuses a link to nothing", () => {
    expect(faultsOfReport("packages/x", manifest, undefined)).toEqual([
      "packages/x/conformance.json is not written; `pnpm conformance` does",
    ]);
  });
});
