import { describe, expect, test } from "vitest";

import { factsFor, gatherFacts, markdownFiles } from "../checks/facts.ts";
import { read } from "../checks/house.ts";
import { untrue } from "../checks/prose.ts";

const facts = gatherFacts();

describe("what Markdown names exists", () => {
  test.each(markdownFiles())("%s", (path) => {
    expect(untrue(path, read(path), factsFor(path, facts))).toEqual([]);
  });
});

describe("the check of prose", () => {
  test("holds the guide to the scaffold's files and scripts", () => {
    const guide = "docs/writing-a-provider.md";
    const ask = (text: string) => untrue(guide, text, factsFor(guide, facts));
    expect(ask("See `src/wire.ts`; run `npm run server`.")).toEqual([]);
    expect(ask("See `src/nowhere.ts`; run `npm run nowhere`.")).toHaveLength(2);
  });

  const ask = (text: string) => untrue("ARCHITECTURE.md", text, facts);

  test.each([
    ["a path", "See `packages/llm-core/src/nowhere.ts`."],
    ["a folder", "See `packages/llm-nowhere/`."],
    ["a bare file", "See `nowhere.ts`."],
    ["a link", "See [there](docs/nowhere.md)."],
    ["a link to a heading", "See [there](#nowhere)."],
    ["a link to a heading of a folder", "See [there](packages/llm-core#use)."],
    ["a script", "Run `pnpm nowhere`."],
    ["a script of a package", "Run `pnpm --filter @enginehouse/llm-core nowhere`."],
    ["a package", "Run `pnpm --filter @enginehouse/nowhere build`."],
    ["a script in a block", "```sh\npnpm nowhere # at once\n```"],
    ["a file for node", "Run `node tooling/nowhere.mjs`."],
    ["a program", "Run `pnpm exec nowhere`."],
    ["an export", "Call `createNowhere()`."],
    ["a type", "It is a `NowhereProvider`."],
    ["an environment variable", "Set `ENGINEHOUSE_NOWHERE`."],
    ["an error code", "It fails with `model-nowhere`."],
    ["an import in an example", '```ts\nimport { nowhere } from "@enginehouse/llm-core";\n```'],
    ["an entry in an example", '```ts\nimport { nowhere } from "@enginehouse/llm-core/nowhere";\n```'],
  ])("refuses %s that does not exist", (_what, text) => {
    expect(ask(text)).toHaveLength(1);
  });

  test.each([
    "`packages/llm-core/src/index.ts`, `packages/*/src`, `packages/llm-provider-*`, `errors.ts`",
    "[errors](docs/errors.md#errors)",
    "`npm start`, `pnpm check`, `pnpm exec oxfmt`, `pnpm --filter @enginehouse/llm-core build`",
    "`LlmError`, `defineProvider({ … })`, `context-overflow`, `ENGINEHOUSE_MODELS_DIR`",
    '```ts\nimport { createRegistry, type Provider } from "@enginehouse/llm-core";\n```',
    "`dist/index.js`, `docs/decisions/NNNN-*.md`, `<name>`, `https://example.com/a.ts`",
  ])("is content with %s", (text) => {
    expect(ask(text)).toEqual([]);
  });
});
