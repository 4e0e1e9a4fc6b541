import type { Provider } from "@enginehouse/llm-core";
import { expectTypeOf, test } from "vitest";

import { createLlamacpp, type LlamacppProvider, type LlamacppSettings } from "../src/index.ts";

test("llamacpp is a provider with every method of the contract", () => {
  expectTypeOf(createLlamacpp).parameter(0).toEqualTypeOf<LlamacppSettings | undefined>();
  expectTypeOf(createLlamacpp()).toEqualTypeOf<LlamacppProvider>();
  expectTypeOf<LlamacppProvider>().toEqualTypeOf<Required<Provider>>();
});
