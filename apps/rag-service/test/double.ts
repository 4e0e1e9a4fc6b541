/** A provider whose models do what a test tells them, and that counts the generations that are running. */
import {
  type ChatEvent,
  type ChatRequest,
  defineProvider,
  lazySchema,
  type Operation,
  type Provider,
  type ProviderManifest,
} from "@enginehouse/llm-core";

import type { RegisteredPlugin } from "../src/providers.ts";

export interface DoubleModel {
  readonly id: string;
  readonly demonstration?: boolean;
  readonly window?: number;
  /** Yields words; may wait, and may throw. */
  readonly speak: (request: ChatRequest, signal: AbortSignal) => AsyncIterable<string>;
}

export interface Double extends RegisteredPlugin {
  /** Generations that have begun and not ended. */
  readonly running: () => number;
  /** What was sent to the models, in order. */
  readonly requests: readonly ChatRequest[];
}

/** What a test adds to the double or puts in place of its own. */
export interface DoubleExtras {
  readonly operations?: readonly Operation[];
  readonly formats?: ProviderManifest["modelFormats"];
  readonly methods?: Partial<Provider>;
}

export function createDouble(id: string, models: readonly DoubleModel[], extras: DoubleExtras = {}): Double {
  let running = 0;
  const requests: ChatRequest[] = [];
  const count = (text: string) => Math.ceil(text.length / 4);
  const textOf = ({ content }: { content: unknown }) => String(content);
  const find = (name: string) => {
    const model = models.find((one) => one.id === name);
    if (model === undefined) throw new Error(`no model ${name}`);
    return model;
  };

  async function* stream(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    requests.push(request);
    running += 1;
    let outputTokens = 0;
    try {
      yield { type: "start", model: request.model, warnings: [] };
      yield { type: "text-start", id: "text" };
      for await (const text of find(request.model).speak(request, signal)) {
        outputTokens += 1;
        yield { type: "text-delta", id: "text", text };
      }
      yield { type: "text-end", id: "text" };
      yield {
        type: "finish",
        reason: { unified: "stop", raw: "stop" },
        usage: { inputTokens: count(request.messages.map(textOf).join("")), outputTokens },
        context: { truncated: "no" },
      };
    } finally {
      running -= 1;
    }
  }

  const plugin = defineProvider({
    id,
    contract: 1,
    settings: lazySchema(async () => (await import("zod")).z.strictObject({})),
    create: (_settings, { name }) => ({
      name,
      stream: (request, { signal = new AbortController().signal } = {}) => stream(request, signal),
      async countTokens({ model, messages = [], texts = [] }) {
        const perText = texts.map(count);
        const tokens = [...perText, ...messages.map((message) => count(textOf(message)))].reduce(
          (sum, one) => sum + one,
          0,
        );
        return { tokens, perText, window: find(model).window ?? 4_096 };
      },
      listModels: async () =>
        models.map(({ id: model, demonstration = false }) => ({
          id: model,
          task: "chat" as const,
          demonstration,
        })),
      health: async () => ({ status: "ok" as const }),
      close: async () => undefined,
      ...extras.methods,
    }),
  });
  const manifest: ProviderManifest = {
    contract: 1,
    id,
    entry: "./none.js",
    operations: ["chat", "count", "list", "health", ...(extras.operations ?? [])],
    features: [],
    modelFormats: extras.formats ?? [],
  };
  return { plugin, manifest, requests, running: () => running };
}

/** Says these words. */
export function words(...said: string[]): DoubleModel["speak"] {
  return async function* speak() {
    yield* said;
  };
}

/** Says a word every few milliseconds until it is stopped. */
export function endless(ms = 5): DoubleModel["speak"] {
  return async function* speak(_request, signal) {
    for (let number = 0; ; number += 1) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      signal.throwIfAborted();
      yield `word${number} `;
    }
  };
}

/** Says these words, then fails. */
export function failing(error: Error, ...said: string[]): DoubleModel["speak"] {
  return async function* speak() {
    yield* said;
    throw error;
  };
}
