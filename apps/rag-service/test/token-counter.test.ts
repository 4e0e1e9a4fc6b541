import { LlmError, type Provider } from "@enginehouse/llm-core";
import { expect, test } from "vitest";

import { createTokenCounter } from "../src/token-counter.ts";

const describeModel = async () => ({ id: "m", contextWindow: 32_768 }) as never;
const windowOf = (provider: Partial<Provider>): Promise<number | undefined> =>
  createTokenCounter({
    provider: { name: "server", close: async () => undefined, ...provider },
    target: { providerId: "server", model: "m", ref: "server/m", demonstration: false },
    signal: new AbortController().signal,
  }).window();

test("the window is the one that the server loaded, not the one that the model was made for", async () => {
  const loadModel = async () => ({ id: "m", contextWindow: 4_096 });
  expect(await windowOf({ describeModel, loadModel })).toBe(4_096);
});

test("the window is the described one where loading tells none, fails, or is not offered", async () => {
  const fails = async (): Promise<never> => Promise.reject(new LlmError("out-of-memory", "too large"));
  expect(await windowOf({ describeModel, loadModel: async () => ({ id: "m" }) })).toBe(32_768);
  expect(await windowOf({ describeModel, loadModel: fails })).toBe(32_768);
  expect(await windowOf({ describeModel })).toBe(32_768);
});
