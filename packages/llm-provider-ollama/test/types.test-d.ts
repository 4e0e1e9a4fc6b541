import type { Provider } from "@enginehouse/llm-core";
import { expectTypeOf, test } from "vitest";

import { createOllama, type OllamaProvider, type OllamaSettings } from "../src/index.ts";

test("ollama is a provider with every method that its manifest names", () => {
  expectTypeOf(createOllama).parameter(0).toEqualTypeOf<OllamaSettings | undefined>();
  expectTypeOf(createOllama()).toExtend<Required<Omit<Provider, "rerank" | "countTokens">>>();
  expectTypeOf<OllamaProvider>().not.toHaveProperty("rerank");
});
