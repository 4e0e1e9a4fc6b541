import { describe, expect, test } from "vitest";

import { isThere, published, read } from "../checks/house.ts";
import { outOfShape } from "../checks/readmes.ts";

describe("the README", () => {
  test.each(published())("of $folder has the shape of its kind", ({ folder, manifest }) => {
    const path = `${folder}/README.md`;
    expect(outOfShape(folder, manifest, isThere(path) ? read(path) : undefined)).toEqual([]);
  });
});

describe("the check of READMEs", () => {
  const folder = "packages/llm-provider-acme";
  const llmProvider = {
    id: "acme",
    contract: 1,
    entry: "./dist/index.js",
    operations: ["chat"],
    features: ["tools"],
  };
  const manifest = { name: "@enginehouse/llm-provider-acme", llmProvider };
  const good = [
    "# @enginehouse/llm-provider-acme",
    "Models of Acme, as a provider.",
    "## Install",
    "## Use",
    "## Settings",
    "## Capabilities",
    "| operation | |\n| --- | --- |\n| `chat` | yes |\n| `tools` | yes |",
    "## What differs",
    "## Backend versions tested",
  ];
  const ask = (parts: readonly string[]) => outOfShape(folder, manifest, parts.join("\n\n"));

  test("is content with the shape", () => {
    expect(ask(good)).toEqual([]);
  });

  test("refuses another title, another order, a missing purpose", () => {
    expect(ask(good.with(0, "# Acme"))).toHaveLength(1);
    expect(ask(good.with(2, "## Use").with(3, "## Install"))).toHaveLength(1);
    expect(ask(good.toSpliced(1, 1))).toHaveLength(1);
  });

  test("holds the table of capabilities to the manifest, both ways", () => {
    const table = "| operation | |\n| --- | --- |\n| `chat` | yes |\n| `vision` | yes |";
    expect(ask(good.with(6, table))).toEqual([
      `${folder}/README.md: its table of capabilities lacks tools`,
      `${folder}/README.md: its table of capabilities names vision, which the manifest does not`,
    ]);
  });

  test("refuses an example whose packages are not installed", () => {
    const example = 'import { generate } from "@enginehouse/llm-core";';
    const install = (names: string) => `## Install\n\nnpm install ${names}`;
    const own = manifest.name;
    const told = [
      `${folder}/README.md: its code imports @enginehouse/llm-core, which no command of it installs`,
    ];
    expect(ask(good.with(2, install(own)).with(3, `## Use\n\n${example}`))).toEqual(told);
    expect(
      ask(good.with(2, install(`@enginehouse/llm-core ${own}`)).with(3, `## Use\n\n${example}`)),
    ).toEqual([]);
  });

  test("refuses a package without one", () => {
    expect(outOfShape(folder, manifest, undefined)).toEqual([`${folder}/README.md is not written`]);
  });
});
