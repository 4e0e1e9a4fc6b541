import type { Provider } from "@enginehouse/llm-core";
import { expectTypeOf, test } from "vitest";

import { createOpenai, type OpenaiProvider, type OpenaiSettings } from "../src/index.ts";

test("openai is a provider with the methods of its manifest", () => {
  expectTypeOf(createOpenai).parameter(0).toEqualTypeOf<OpenaiSettings | undefined>();
  expectTypeOf(createOpenai()).toEqualTypeOf<OpenaiProvider>();
  expectTypeOf<OpenaiProvider>().toExtend<Provider>();
  expectTypeOf<OpenaiProvider["embed"]>().toEqualTypeOf<NonNullable<Provider["embed"]>>();
});
