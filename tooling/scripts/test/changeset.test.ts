import { expect, test } from "vitest";

import { withoutChangeset } from "../verify-changeset.mjs";

const core = "packages/llm-core/src/errors.ts";
const note = ".changeset/kind-words.md";
const saying = (header: string) => () => `---\n${header}---\n\nMore can be done.\n`;
const none = () => "";

test("a changed source wants a changeset that names its package", () => {
  expect(withoutChangeset([core], none)).toEqual(["llm-core"]);
  expect(withoutChangeset([core, note], saying('"@enginehouse/llm-core": minor\n'))).toEqual([]);
  expect(withoutChangeset([core, note], saying('"@enginehouse/llm-wire": minor\n'))).toEqual(["llm-core"]);
});

test("a name that another one begins with is not enough", () => {
  const files = ["packages/llm-wire/src/a.ts", note];
  expect(withoutChangeset(files, saying('"@enginehouse/llm-wire-extra": patch\n'))).toEqual(["llm-wire"]);
});

test("what no user can meet wants none: tests, documents, apps", () => {
  expect(
    withoutChangeset(["packages/llm-core/test/a.test.ts", "apps/rag-service/src/a.ts", "README.md"], none),
  ).toEqual([]);
});

test("an empty changeset says that there is nothing to say", () => {
  expect(withoutChangeset([core, note], saying(""))).toEqual([]);
});
