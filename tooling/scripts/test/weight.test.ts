import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { weigh } from "../weight.mjs";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weight-"));
  mkdirSync(join(folder, "dist"));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** What is said of a package whose built file and manifest are these. */
function problemsOf(
  built: string,
  manifest: object,
  sources: readonly string[] = ["../src/index.ts"],
): Promise<string[]> {
  const exports = {
    ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
    "./package.json": "./package.json",
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "acme", exports, ...manifest }));
  writeFileSync(join(folder, "dist/index.js"), built);
  writeFileSync(join(folder, "dist/index.js.map"), JSON.stringify({ sources }));
  return weigh(folder, () => {});
}

const weight = { "dist/index.js": "1 kB" };

test("a light package is fine, whatever its declared dependencies weigh", async () => {
  const built =
    'import { z } from "zod/v4"; import { readFile } from "node:fs"; export const a = [z, readFile];';
  expect(await problemsOf(built, { weight, dependencies: { zod: "^4.0.0" } })).toEqual([]);
});

test("a package over its ceiling is refused", async () => {
  const built = `export const noise = "${randomBytes(2000).toString("base64")}";`;
  expect((await problemsOf(built, { weight })).join()).toMatch(
    /^acme: dist\/index.js is \d+ bytes gzipped, over its ceiling of 1 kB$/,
  );
});

test("what is imported only when it is needed weighs by itself where it has a ceiling, and else with its importer", async () => {
  const late = `export const noise = "${randomBytes(2000).toString("base64")}";`;
  writeFileSync(join(folder, "dist/late.js"), late);
  const built = 'export const load = () => import("./late.js");';
  expect(await problemsOf(built, { weight: { ...weight, "dist/late.js": "3 kB" } })).toEqual([]);
  expect(await problemsOf(built, { weight })).toEqual([expect.stringContaining("dist/index.js is")]);
});

test("a library that the bundler swallowed is named, though the package may still be light", async () => {
  const sources = ["../src/index.ts", "../../../node_modules/.pnpm/zod@4.6.7/node_modules/zod/v4/core.js"];
  expect(await problemsOf("export const a = 1;", { weight }, sources)).toEqual([
    "acme: dist/index.js has zod inside, for package.json does not declare it as a dependency",
  ]);
});

test("an import that the manifest does not declare is refused", async () => {
  expect(await problemsOf('export * from "@acme/other/part";', { weight })).toEqual([
    "acme: dist/index.js imports @acme/other, which package.json does not declare",
  ]);
});

test("an entry without a ceiling, a ceiling without its file, and a size that is none are refused", async () => {
  expect(await problemsOf("export const a = 1;", {})).toEqual([
    'acme: "weight" in package.json names no ceiling for dist/index.js',
  ]);
  expect(await problemsOf("export const a = 1;", { weight: { ...weight, "dist/gone.js": "1 kB" } })).toEqual([
    "acme: dist/gone.js has a ceiling, but was not built",
  ]);
  expect(await problemsOf("export const a = 1;", { weight: { "dist/index.js": "light" } })).toEqual([
    'acme: "light" is no size; write it as "8 kB"',
  ]);
});
