import { describe, expect, test } from "vitest";

import { againstDirection, readDirections } from "../checks/direction.ts";
import { members, read, sourcesBelow } from "../checks/house.ts";
import { exportsOf, importsOf } from "../checks/imports.ts";

const rows = readDirections(read("ARCHITECTURE.md"));

describe("the direction of dependencies", () => {
  test.each(members("packages", "apps"))("is kept by $folder", ({ folder, manifest }) => {
    expect(againstDirection(folder, manifest, sourcesBelow(folder), rows)).toEqual([]);
  });
});

describe("the check of directions", () => {
  const table = [
    "## Direction of dependencies",
    "| package | sources | tests |",
    "| --- | --- | --- |",
    "| `llm-core` | `zod` | |",
    "| `llm-provider-*` | `llm-core`, its backend's SDK | `llm-reference-model` |",
  ].join("\n");
  const ask = (folder: string, path: string, text: string) =>
    againstDirection(
      folder,
      { name: `@enginehouse/${folder.slice(9)}` },
      [{ path, text }],
      readDirections(table),
    );

  test("refuses a core that knows a provider", () => {
    const text = 'import { createEcho } from "@enginehouse/llm-provider-echo";';
    expect(ask("packages/llm-core", "packages/llm-core/src/index.ts", text)).toEqual([
      'packages/llm-core/src/index.ts imports "@enginehouse/llm-provider-echo", which the row of llm-core does not allow',
    ]);
  });

  test("refuses a library where the row has none, also when it is imported late", () => {
    const text = 'const { load } = await import("yaml");';
    expect(ask("packages/llm-core", "packages/llm-core/src/index.ts", text)).toHaveLength(1);
  });

  test("lets a test see what its sources must not", () => {
    const text = 'import { models } from "@enginehouse/llm-reference-model";';
    const folder = "packages/llm-provider-acme";
    expect(ask(folder, `${folder}/test/chat.test.ts`, text)).toEqual([]);
    expect(ask(folder, `${folder}/src/provider.ts`, text)).toHaveLength(1);
  });

  test("refuses a package without a row", () => {
    expect(ask("packages/llm-odd", "packages/llm-odd/src/index.ts", "")).toHaveLength(1);
  });

  test("sees every kind of import, and none in a comment", () => {
    const source = [
      'import a from "one";',
      'import type { B } from "two/part";',
      'export * from "three";',
      'import "four";',
      'const five = () => import("five");',
      '// import six from "six";',
      'const address = "https://seven";',
    ].join("\n");
    expect(importsOf(source)).toEqual(["one", "two/part", "three", "four", "five"]);
  });

  test("finds what a module exports, through its stars", () => {
    const source = 'export { a as b, type C } from "./c.ts";\nexport * from "./d.ts";\nexport const e = 1;';
    expect([...exportsOf(source, () => "export interface D {}")]).toEqual(["e", "b", "C", "D"]);
  });
});
