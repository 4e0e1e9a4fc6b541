import { join } from "node:path";

import { expect, test } from "vitest";

import { findApplication } from "../../src/discovery/application.ts";
import { createManifestReader } from "../../src/discovery/manifest-schema.ts";
import { readPackageJson } from "../../src/discovery/package-json.ts";
import { readPlugin } from "../../src/discovery/plugin.ts";
import { application, plant, plugin } from "./tree.ts";

test.each([
  [1, "refused", "run `npm install x@latest`, or install a version of x made for contract 3"],
  [2, "used", undefined],
  [3, "used", undefined],
  [
    4,
    "refused",
    "run `npm install @enginehouse/llm-core@latest`, or install a version of x made for contract 3",
  ],
] as const)("a host of contract 3: a plugin of contract %i is %s", async (contract, status, hint) => {
  const root = await plant({ ...application("x"), ...plugin("x", { contract }) });
  const folder = join(root, "node_modules/x");
  const { content = {} } = await readPackageJson(join(folder, "package.json"));
  const { diagnostic } = await readPlugin(
    { name: "x", version: "1.2.3", folder, content },
    await createManifestReader(),
    { application: await findApplication(root), contract: 3 },
  );
  expect(diagnostic).toMatchObject({ status });
  expect(diagnostic.hint).toBe(hint);
});
