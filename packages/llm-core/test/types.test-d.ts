import { expectTypeOf, test } from "vitest";

import {
  type ChatEvent,
  type ChatResponse,
  defineProvider,
  generate,
  type Provider,
  requireOperation,
  type Usage,
} from "../src/index.ts";
import { anything } from "./double.ts";

test("unknown usage is undefined and never missing", () => {
  expectTypeOf<Usage["inputTokens"]>().toEqualTypeOf<number | undefined>();
  expectTypeOf<Required<Usage>>().toExtend<Usage>();
});

test("what a provider may lack is optional, what it must have is not", () => {
  expectTypeOf<Provider["close"]>().toEqualTypeOf<() => Promise<void>>();
  expectTypeOf<undefined>().toExtend<Provider["stream"]>();
  expectTypeOf(generate).returns.resolves.toEqualTypeOf<ChatResponse>();
  expectTypeOf(requireOperation<"chat">).returns.toEqualTypeOf<NonNullable<Provider["stream"]>>();
});

test("a plugin keeps the methods that its provider surely has", () => {
  const plugin = defineProvider({
    id: "x",
    contract: 1,
    settings: anything,
    create: (_, host) => ({ name: host.name, listModels: async () => [], close: async () => undefined }),
  });
  expectTypeOf(plugin.create().listModels).not.toBeNullable();
  expectTypeOf(plugin.create()).toExtend<Provider>();
});

test("a method that the contract does not have is not promised either", () => {
  const plugin = defineProvider({
    id: "x",
    contract: 1,
    settings: anything,
    create: (_, host) => ({ name: host.name, extra: () => 1, close: async () => undefined }),
  });
  expectTypeOf(plugin.create()).not.toHaveProperty("extra");
});

test("events are a closed union", () => {
  expectTypeOf<ChatEvent["type"]>().not.toEqualTypeOf<string>();
  expectTypeOf<Extract<ChatEvent, { type: "finish" }>["usage"]>().toEqualTypeOf<Usage>();
});
