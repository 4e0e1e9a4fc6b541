import { expect, test } from "vitest";

import { strayBlocks } from "../checks/guide.ts";
import { isThere, read } from "../checks/house.ts";

const guide = "docs/writing-a-provider.md";
const template = (file: string): string | undefined => {
  const path = `packages/create-llm-provider/template/${file.replace(/^package\.json$/, "_package.json")}`;
  return isThere(path) ? read(path) : undefined;
};

test("the guide shows the code that the scaffold writes", () => {
  expect(strayBlocks(guide, read(guide), template)).toEqual([]);
});

test("the guide shows code of each room", () => {
  const rooms = ["index", "settings", "provider", "encode", "decode", "errors"];
  for (const room of rooms) expect(read(guide)).toContain(`title=src/${room}.ts`);
});

test.each([
  [
    "code that was changed",
    "```ts title=src/index.ts\nexport default plug;\n```",
    /index\.ts says it otherwise/,
  ],
  ["a file that is not there", "```ts title=src/none.ts\nexport {};\n```", /there is no src\/none\.ts/],
])("%s is told", (_what, markdown, says) => {
  expect(strayBlocks(guide, markdown, template)).toEqual([expect.stringMatching(says)]);
});
