import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterAll, expect, test } from "vitest";

import { staleBuild } from "../../src/cli/stale-build.ts";

const folder = mkdtempSync(join(tmpdir(), "stale-build-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const place = { package: pathToFileURL(join(folder, "package.json")) };
const write = (name: string, changed: string, text = ""): void => {
  writeFileSync(join(folder, name), text);
  utimesSync(join(folder, name), new Date(changed), new Date(changed));
};

test("a build that is older than its sources is told of, with what changed", () => {
  for (const name of ["dist", "src/wire"]) mkdirSync(join(folder, name), { recursive: true });
  const manifest = { llmProvider: { id: "a", contract: 1, entry: "./dist/index.js" } };
  write("package.json", "2026-01-03", JSON.stringify(manifest));
  write("src/index.ts", "2026-01-01");
  expect(staleBuild(place)).toBeUndefined(); // Nothing is built: the checks say so.
  write("dist/index.js", "2026-01-02");
  expect(staleBuild(place)).toBeUndefined();
  write("src/wire/lines.ts", "2026-01-03");
  expect(staleBuild(place)).toContain(
    `./dist/index.js was built before src/${join("wire", "lines.ts")} changed`,
  );
  rmSync(join(folder, "src"), { recursive: true });
  expect(staleBuild(place)).toBeUndefined();
});
