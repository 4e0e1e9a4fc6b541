import type { Provider } from "@enginehouse/llm-core";
import { expectTypeOf, test } from "vitest";

import { createEcho, type EchoSettings } from "../src/index.ts";

test("echo is a provider whose methods are surely there", () => {
  expectTypeOf(createEcho).parameter(0).toEqualTypeOf<EchoSettings | undefined>();
  expectTypeOf(createEcho()).toExtend<Provider>();
  expectTypeOf(createEcho().embed).not.toBeNullable();
});
