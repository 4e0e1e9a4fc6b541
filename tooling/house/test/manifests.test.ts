import { describe, expect, test } from "vitest";

import { members, published, readManifest } from "../checks/house.ts";
import { faultsOf, publishedApps } from "../checks/manifests.ts";

describe("the package.json of a published package", () => {
  test.each(published())("is whole in $folder", ({ folder, manifest }) => {
    expect(faultsOf(folder, manifest)).toEqual([]);
  });
});

describe("apps and tooling", () => {
  test.each(members("apps", "tooling"))("stay private, unless meant: $folder", ({ folder, manifest }) => {
    expect(manifest.private === true).toBe(publishedApps[folder] === undefined);
  });
});

describe("the check of manifests", () => {
  const folder = "packages/llm-provider-echo";
  const good = { ...readManifest(`${folder}/package.json`), weight: { "dist/index.js": "1 kB" } };

  test.each([
    [{ license: "MIT" }, '"license" is not Apache-2.0'],
    [{ keywords: ["llm"] }, '"keywords" lacks llm-provider'],
    [{ files: ["dist"] }, '"files" lacks src, where the source maps lead'],
    [{ repository: { directory: "packages/other" } }, `"repository.directory" is not ${folder}`],
    [{ engines: { node: ">=20" } }, '"engines.node" is not ^22.18 || ^24.11 || >=26'],
    [{ weight: undefined }, '"weight" states no ceiling'],
    [{ llmProvider: undefined }, '"llmProvider" is missing'],
  ])("refuses %o", (change, says) => {
    expect(faultsOf(folder, { ...good, ...change })).toContain(`${folder}/package.json: ${says}`);
  });

  test("refuses default before types, and published entries that lead elsewhere", () => {
    const target = {
      "@enginehouse/source": "./src/index.ts",
      default: "./dist/index.js",
      types: "./dist/index.d.ts",
    };
    const exports = { ".": target, "./package.json": "./package.json" };
    const swapped = faultsOf(folder, { ...good, exports });
    expect(swapped.join()).toContain("has the conditions @enginehouse/source, default, types");
    const publishConfig = { access: "public", exports: { ".": { types: "./a.d.ts", default: "./a.js" } } };
    const elsewhere = faultsOf(folder, { ...good, publishConfig }).join();
    expect(elsewhere).toContain("publishes other entries than it exports");
    expect(elsewhere).toContain("leads elsewhere than exports");
  });

  test("refuses an operation that the contract does not know", () => {
    const llmProvider = {
      id: "echo",
      contract: 1,
      entry: "./dist/index.js",
      operations: ["sing"],
      features: [],
    };
    expect(faultsOf(folder, { ...good, llmProvider })).toEqual([
      `${folder}/package.json: "sing" is no operation of the contract`,
    ]);
  });
});
