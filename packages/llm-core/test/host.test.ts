import { describe, expect, test, vi } from "vitest";

import type { LlmError } from "../src/index.ts";
import {
  type ChatEvent,
  type ChatRequest,
  defineProvider,
  fromBatches,
  isLlmError,
  type Provider,
} from "../src/index.ts";
import { ask, eventsOf, faultOf, finish, pluginOf, says, start, streamOf, strict } from "./double.ts";

const chat = (
  stream: NonNullable<Provider["stream"]>,
  features: readonly ("tools" | "reasoning")[] = [],
): Provider => pluginOf(() => ({ stream }), { features }).create();

function read(provider: Provider, request: ChatRequest = ask, signal?: AbortSignal): Promise<ChatEvent[]> {
  const stream = provider.stream?.(request, { signal });
  if (stream === undefined) throw new Error("no stream");
  return eventsOf(stream);
}

describe("settings", () => {
  test("are checked at the first operation, before the plugin's own code runs", async () => {
    const stream = vi.fn(streamOf([[start, finish]]));
    const plugin = defineProvider({
      id: "double",
      contract: 1,
      settings: strict,
      create: (_, host): Provider => ({ name: host.name, stream, close: async () => undefined }),
    });
    const provider = plugin.create({ prot: 1 } as never);
    expect(await faultOf(read(provider))).toMatchObject({ code: "invalid-settings", provider: "double" });
    expect(String(await faultOf(read(provider)))).toContain("prot: unknown key");
    expect(stream).not.toHaveBeenCalled();
  });

  test.each([undefined, null, {}, { type: "object" }])(
    "that are no schema are refused at once: %j",
    (settings) => {
      const define = () =>
        defineProvider({
          id: "double",
          contract: 1,
          settings: settings as never,
          create: (): Provider => ({ name: "double", close: async () => undefined }),
        });
      expect(define).toThrow(/"double".*Standard Schema/);
      expect(define).toThrow(expect.objectContaining({ code: "plugin-invalid" }));
    },
  );

  test("a provider has exactly the methods that its plugin made", () => {
    const provider = pluginOf(() => ({ listModels: async () => [] })).create();
    expect(Object.keys(provider).sort()).toEqual(["close", "listModels", "name"]);
  });
});

describe("a stream", () => {
  test("passes through what the provider yields", async () => {
    const events = [start, ...says("a", "b"), finish];
    expect(await read(chat(streamOf([events.slice(0, 2), events.slice(2)])))).toEqual(events);
  });

  test("that ends without finish is stream-interrupted, with what had arrived", async () => {
    const error = await faultOf(read(chat(streamOf([[start, ...says("a", "b")]]))));
    expect(error).toMatchObject({ code: "stream-interrupted", retryable: true, partial: { text: "ab" } });
  });

  test("that breaks behind texts without a beginning tells them, too", async () => {
    const text: ChatEvent = { type: "text-delta", id: "t", text: "a" };
    const error = await faultOf(read(chat(streamOf([[start], [text]], new Error("cut")))));
    expect(error).toMatchObject({ code: "provider-internal", phase: "stream", partial: { text: "a" } });
  });

  test.each(["reason", "usage", "context"])("whose finish has no %s is invalid-response", async (part) => {
    const error = await faultOf(
      read(chat(streamOf([[start, ...says("a")], [{ ...finish, [part]: undefined } as ChatEvent]]))),
    );
    expect(error).toMatchObject({ code: "invalid-response", provider: "double", partial: { text: "a" } });
    expect(String(error)).toContain(part);
  });

  test("that breaks names the provider, the operation and the model", async () => {
    const error = await faultOf(read(chat(streamOf([[start, ...says("a")]], new TypeError("terminated")))));
    expect(error).toMatchObject({
      code: "provider-internal",
      provider: "double",
      operation: "chat",
      model: "m",
    });
    expect(error).toMatchObject({ phase: "stream", partial: { text: "a" } });
  });

  test("is refused without a call when the signal was aborted before", async () => {
    const stream = vi.fn(streamOf([[start, finish]]));
    const error = await faultOf(read(chat(stream), ask, AbortSignal.abort("why")));
    expect(error).toMatchObject({ code: "aborted", cause: "why", retryable: false });
    expect(stream).not.toHaveBeenCalled();
  });

  test("ends as aborted when its signal fires, whatever the provider throws then", async () => {
    const controller = new AbortController();
    const provider = chat((_, { signal } = {}) =>
      fromBatches(async function* () {
        yield [start, ...says("a")];
        await new Promise((_resolve, reject) =>
          signal?.addEventListener("abort", () => reject(new Error("socket"))),
        );
      }),
    );
    setTimeout(() => controller.abort("enough"), 20);
    const error = await faultOf(read(provider, ask, controller.signal));
    expect(error).toMatchObject({ code: "aborted", cause: "enough", partial: { text: "a" } });
  });

  test("that is left early aborts the provider's signal, also while a read is under way", async () => {
    let aborted = false;
    const provider = chat((_, { signal } = {}) =>
      fromBatches(async function* () {
        signal?.addEventListener("abort", () => (aborted = true));
        yield [start];
        await new Promise((_resolve, reject) =>
          signal?.addEventListener("abort", () => reject(new Error("left"))),
        );
      }),
    );
    const iterator = provider.stream?.(ask)[Symbol.asyncIterator]();
    await iterator?.next();
    const waiting = faultOf(Promise.resolve(iterator?.next()));
    await iterator?.return?.();
    expect(aborted).toBe(true);
    expect(isLlmError(await waiting)).toBe(true);
  });

  test("leaves no listener on the caller's signal", async () => {
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, "addEventListener");
    const remove = vi.spyOn(signal, "removeEventListener");
    const provider = chat(streamOf([[start, finish]]));
    for (let call = 0; call < 50; call += 1) await read(provider, ask, signal);
    expect(add).toHaveBeenCalledTimes(50);
    expect(remove).toHaveBeenCalledTimes(50);
  });

  test("takes frozen requests and changes nothing in them", async () => {
    const request = Object.freeze({
      ...ask,
      messages: Object.freeze([...ask.messages]),
      toolChoice: "none" as const,
    });
    await read(chat(streamOf([[start, finish]])), request);
    expect(request).toEqual({ ...ask, toolChoice: "none" });
  });

  test.each<[string, Partial<ChatRequest>]>([
    ["model", { model: "" }],
    ["messages", { messages: [] }],
    ["temperature", { temperature: -1 }],
    ["maxTokens", { maxTokens: 0.5 }],
    ["topP", { topP: Number.NaN }],
    ["stop", { stop: [""] }],
    ["tools", { tools: [{ name: "a" }, { name: "a" }] }],
  ])("with a senseless %s is invalid-request, which names the field", async (field, wrong) => {
    const error = await faultOf(read(chat(streamOf([[start, finish]]), ["tools"]), { ...ask, ...wrong }));
    expect(error).toMatchObject({ code: "invalid-request" });
    expect(String(error)).toContain(field);
  });
});

describe("what a plugin does not declare", () => {
  const tools = [{ name: "look" }];

  test("is refused by default, and the hint says how to go on", async () => {
    const error = await faultOf(read(chat(streamOf([[start, finish]])), { ...ask, tools }));
    expect(error).toMatchObject({ code: "unsupported" });
    expect((error as LlmError).hint).toContain("warn");
  });

  test("is left out with a warning when the policy says so", async () => {
    const seen: ChatRequest[] = [];
    const provider = chat((request) => {
      seen.push(request);
      return streamOf([[start, finish]])();
    });
    const events = await read(provider, { ...ask, tools, reasoning: "high", unsupported: "warn" });
    expect(seen[0]).not.toHaveProperty("tools");
    expect(seen[0]).not.toHaveProperty("reasoning");
    expect(events[0]).toMatchObject({ warnings: [{ option: "tools" }, { option: "reasoning" }] });
  });

  test("tools are left out with the choice none, also where tools are declared", async () => {
    const seen: ChatRequest[] = [];
    const provider = chat(
      (request) => {
        seen.push(request);
        return streamOf([[start, finish]])();
      },
      ["tools"],
    );
    await read(provider, { ...ask, tools, toolChoice: "none" });
    await read(provider, { ...ask, tools });
    expect(seen.map((request) => request.tools)).toEqual([undefined, tools]);
  });
});

describe("close", () => {
  test("is idempotent, ends running calls and refuses later ones", async () => {
    let closed = 0;
    const provider = pluginOf(() => ({
      stream: (_, { signal } = {}) =>
        fromBatches(async function* () {
          yield [start];
          await new Promise((_resolve, reject) =>
            signal?.addEventListener("abort", () => reject(new Error("gone"))),
          );
        }),
      close: async () => {
        closed += 1;
      },
    })).create();
    const running = faultOf(read(provider));
    await new Promise((resolve) => setTimeout(resolve, 10));
    await Promise.all([provider.close(), provider.close()]);
    expect(closed).toBe(1);
    expect(await running).toMatchObject({ code: "shut-down" });
    expect(await faultOf(read(provider))).toMatchObject({ code: "shut-down" });
  });
});

describe("health", () => {
  test("never rejects", async () => {
    const provider = pluginOf(() => ({ health: () => Promise.reject(new Error("refused")) })).create();
    expect(await provider.health?.()).toMatchObject({ status: "down", message: "refused" });
    await provider.close();
    expect(await provider.health?.()).toMatchObject({ status: "down" });
  });

  test("answers within its limit when the backend does not, and tells it to stop", async () => {
    vi.useFakeTimers();
    try {
      let aborted = false;
      const provider = pluginOf(() => ({
        health: ({ signal } = {}) =>
          new Promise((_, reject) => {
            signal?.addEventListener("abort", () => {
              aborted = true;
              reject(new Error("stopped"));
            });
          }),
      })).create();
      const asked = provider.health?.();
      await vi.advanceTimersByTimeAsync(2_000);
      expect(await asked).toMatchObject({ status: "down", message: "no answer within 2 s" });
      expect(aborted).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("embed", () => {
  const embedder = (vectors: readonly Float32Array[]): Provider =>
    pluginOf(() => ({
      embed: async ({ model }) => ({ model, vectors, usage: { inputTokens: 1 } }),
    })).create();

  test("of nothing asks nobody", async () => {
    const embed = vi.fn();
    const provider = pluginOf(() => ({ embed })).create();
    expect(await provider.embed?.({ model: "m", texts: [] })).toMatchObject({ vectors: [] });
    expect(embed).not.toHaveBeenCalled();
  });

  test("gives vectors of length 1, and one of zeros as it is", async () => {
    const given = [Float32Array.of(3, 4), Float32Array.of(0, 1), new Float32Array(2)];
    const { vectors } = (await embedder(given).embed?.({ model: "m", texts: ["a", "b", "c"] })) ?? {};
    expect(vectors?.map((vector) => [...vector])).toEqual([
      [Math.fround(0.6), Math.fround(0.8)],
      [0, 1],
      [0, 0],
    ]);
    expect([...(given[0] ?? [])]).toEqual([3, 4]);
  });

  test("that holds something else than numbers is invalid-response", async () => {
    const odd = embedder([Float32Array.of(1, Number.NaN)]).embed?.({ model: "m", texts: ["a"] });
    expect(await faultOf(Promise.resolve(odd))).toMatchObject({ code: "invalid-response" });
  });

  test("that returns another number of vectors, or of several lengths, is invalid-response", async () => {
    const one = new Float32Array(2);
    const short = embedder([one]).embed?.({ model: "m", texts: ["a", "b"] });
    expect(await faultOf(Promise.resolve(short))).toMatchObject({ code: "invalid-response" });
    const uneven = embedder([one, new Float32Array(3)]).embed?.({ model: "m", texts: ["a", "b"] });
    expect(await faultOf(Promise.resolve(uneven))).toMatchObject({ code: "invalid-response" });
  });
});
