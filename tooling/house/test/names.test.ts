import { describe, expect, test } from "vitest";

import { members, sourcesBelow } from "../checks/house.ts";
import { namesOfModels, namesOfProviders } from "../checks/names.ts";

const ids = members("packages").flatMap(({ manifest }) => manifest.llmProvider?.id ?? []);
const known = [...new Set([...ids, "ollama", "openai", "lmstudio", "transformers"])];

describe("nobody branches on a name", () => {
  test.each(["packages/llm-core/src", "packages/llm-wire/src", "apps/rag-service/src"])(
    "no provider is named in %s",
    (folder) => {
      expect(namesOfProviders(sourcesBelow(folder), known)).toEqual([]);
    },
  );

  test.each(members("packages", "apps"))("no model is named in the sources of $folder", ({ folder }) => {
    expect(namesOfModels(sourcesBelow(`${folder}/src`))).toEqual([]);
  });
});

describe("the check of names", () => {
  const file = (text: string) => [{ path: "src/a.ts", text }];

  test("finds a provider's id, alone or before a model", () => {
    expect(namesOfProviders(file('if (name === "ollama") retry();'), known)).toHaveLength(1);
    expect(namesOfProviders(file('const model = "ollama/some-model";'), known)).toHaveLength(1);
    expect(namesOfProviders(file('await import("@enginehouse/llm-provider-echo");'), known)).toHaveLength(1);
  });

  test("lets a comment name one, and a sentence use the word", () => {
    expect(
      namesOfProviders(file('/** For example `"ollama"`. */\nconst text = "an echo of it";'), known),
    ).toEqual([]);
  });

  test("finds a model's name", () => {
    expect(namesOfModels(file('const usual = "Qwen3-8B";'))).toEqual(["src/a.ts names Qwen3-8B, a model"]);
    expect(namesOfModels(file("// as Qwen3 does"))).toEqual([]);
  });
});
