import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { declarationsOf } from "../api.mjs";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "api-"));
  mkdirSync(join(folder, "dist"));
  const exports = {
    ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
    "./part": { types: "./dist/part.d.ts", default: "./dist/part.js" },
    "./package.json": "./package.json",
  };
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "@acme/engine", type: "module", exports }),
  );
  writeFileSync(join(folder, "dist/index.d.ts"), 'export { type Part } from "./part.ts";\n');
  writeFileSync(
    join(folder, "dist/part.d.ts"),
    "/** A part. */\nexport interface Part {\n    readonly size: number;\n}\n",
  );
});

afterEach(() => rmSync(folder, { recursive: true }));

test("every entry has its declarations in one text, whatever file they come from", () => {
  const [main, part, ...others] = declarationsOf(folder);
  expect(main?.file).toBe("engine.api.d.ts");
  expect(main?.built).toContain("/** A part. */\nexport declare interface Part");
  expect(part?.file).toBe("engine.part.api.d.ts");
  expect(others).toEqual([]);
});

test("a member more or less makes another text than the committed one", () => {
  const [before] = declarationsOf(folder);
  expect(before?.committed).toBeUndefined();
  writeFileSync(join(folder, "engine.api.d.ts"), before?.built ?? "");
  expect(declarationsOf(folder)[0]?.committed).toBe(before?.built);
  writeFileSync(
    join(folder, "dist/part.d.ts"),
    "/** A part. */\nexport interface Part {\n    readonly length: number;\n}\n",
  );
  const [after] = declarationsOf(folder);
  expect(after?.built).not.toBe(after?.committed);
  expect(after?.built).toContain("readonly length: number");
});

test("a package that is not built is refused", () => {
  rmSync(join(folder, "dist/part.d.ts"));
  expect(() => declarationsOf(folder)).toThrow("is not built");
});
