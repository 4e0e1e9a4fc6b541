import { describe, expect, test, vi } from "vitest";

import {
  type ChatEvent,
  type ChatRequest,
  collect,
  createRegistry,
  fromBatches,
  generate,
  type Provider,
  requireOperation,
  type Timeouts,
} from "../src/index.ts";
import { ask, eventsOf, faultOf, finish, pluginOf, says, start, streamOf } from "./double.ts";

const features = ["tools", "json-schema", "reasoning"] as const;
const chat = (
  stream = streamOf([[start, ...says("a"), finish]]),
  declared: typeof features | [] = features,
) => pluginOf(() => ({ stream }), { features: declared }).create();
const wrong = (more: unknown): ChatRequest => ({ ...ask, ...(more as object) });
const tools = [{ name: "look" }];
const itself: Record<string, unknown> = {};
itself["self"] = itself;
const holed: unknown[] = [];
holed[1] = { role: "user", content: "x" };
const saying = (...content: unknown[]) => ({ messages: [{ role: "user", content }] });

describe("a request that makes no sense is invalid-request and never reaches the plugin", () => {
  test.each<[string, unknown]>([
    ["messages", { messages: [{ role: "bot", content: "x" }] }],
    ["messages", { messages: [{ role: "user", content: null }] }],
    ["messages", { messages: [null] }],
    ["messages", { messages: [{ role: "tool", content: "text" }] }],
    ["messages.0", { messages: holed }],
    ["messages.0.content.0", saying(null)],
    ["messages.0.content.0", saying("text")],
    ["messages.0.content.1.text", saying({ type: "text", text: "a" }, { type: "text", text: 5 })],
    ["messages.0.content.0.mediaType", saying({ type: "file", data: new Uint8Array(1) })],
    ["messages.0.content.0.data", saying({ type: "file", mediaType: "image/png", data: "base64" })],
    ["messages.0.content.0.data", saying({ type: "file", mediaType: "image/png", data: new Uint8Array(0) })],
    ["messages.0.content.0.input", saying({ type: "tool-call", id: "1", name: "look", input: itself })],
    ["messages.0.content.0.name", saying({ type: "tool-call", id: "1", name: 5, input: {} })],
    ["messages.0.content.0.output", saying({ type: "tool-result", id: "1", name: "look", output: 5n })],
    ["tools", { tools: null }],
    ["tools", { tools: "look" }],
    ["tools.0", { tools: [null] }],
    ["tools.0.name", { tools: [{ name: "" }] }],
    ["tools.0.description", { tools: [{ name: "look", description: 5 }] }],
    ["tools.0.inputSchema", { tools: [{ name: "look", inputSchema: true }] }],
    ["tools.0.inputSchema", { tools: [{ name: "look", inputSchema: itself }] }],
    ["toolChoice", { tools, toolChoice: null }],
    ["toolChoice", { tools, toolChoice: {} }],
    ["responseFormat", { responseFormat: null }],
    ["responseFormat.schema", { responseFormat: { type: "json", schema: itself } }],
    ["responseFormat.schema", { responseFormat: { type: "json", schema: false } }],
    ["responseFormat.name", { responseFormat: { type: "json", name: 5 } }],
    ["reasoning", { reasoning: Object.create(null) }],
    ["includeRaw", { includeRaw: "yes" }],
    ["providerOptions", { providerOptions: "double" }],
    ["providerOptions.double", { providerOptions: { double: 5 } }],
    ["stop", { stop: "word" }],
    ["stop", { stop: [1] }],
    ["topP", { topP: 1.5 }],
    ["minP", { minP: -0.1 }],
    ["topK", { topK: 1.5 }],
    ["seed", { seed: 0.5 }],
    ["keepAlive", { keepAlive: -1 }],
    ["keepAlive", { keepAlive: Number.NaN }],
    ["overflow", { overflow: "drop" }],
    ["unsupported", { unsupported: "ignore" }],
    ["reasoning", { reasoning: "max" }],
    ["responseFormat", { responseFormat: { type: "xml" } }],
    ["toolChoice", { toolChoice: "required" }],
    ["toolChoice", { tools, toolChoice: { name: "other" } }],
    ["toolChoice", { tools, toolChoice: "sometimes" }],
  ])("%s (%#)", async (field, more) => {
    const stream = vi.fn(streamOf([[start, finish]]));
    const error = await faultOf(eventsOf(requireOperation(chat(stream), "chat")(wrong(more))));
    expect(error).toMatchObject({ code: "invalid-request", provider: "double", phase: "request" });
    expect(String(error)).toContain(field);
    expect(stream).not.toHaveBeenCalled();
  });

  test("none at all", async () => {
    const nothing = undefined as unknown as ChatRequest;
    expect(await faultOf(eventsOf(requireOperation(chat(), "chat")(nothing)))).toMatchObject({
      code: "invalid-request",
    });
  });

  test.each<[string, Timeouts]>([
    ["total", { total: Number.NaN }],
    ["idle", { idle: -1 }],
    ["connect", { connect: "5" as never }],
  ])("a limit %s that is none: %j", async (name, timeouts) => {
    const error = await faultOf(eventsOf(requireOperation(chat(), "chat")(ask, { timeouts })));
    expect(error).toMatchObject({ code: "invalid-request" });
    expect(String(error)).toContain(`timeouts.${name}`);
  });

  test("and so is an operation on a model that is not named", async () => {
    const never = vi.fn();
    const made = {
      describeModel: never,
      deleteModel: never,
      loadModel: never,
      unloadModel: never,
      embed: never,
    };
    const provider = pluginOf(() => ({ ...made, pullModel: never, countTokens: never })).create();
    const nameless = [undefined, null, 5, "", {}, { model: 5 }, { model: "" }] as never[];
    for (const input of nameless) {
      for (const call of [
        () => provider.describeModel?.(input),
        () => provider.deleteModel?.(input),
        () => provider.loadModel?.(input),
        () => provider.unloadModel?.(input),
        () => provider.embed?.(input),
        () => provider.countTokens?.(input),
        () => provider.pullModel?.(input)[Symbol.asyncIterator]().next(),
      ])
        expect(await faultOf(Promise.resolve(call()))).toMatchObject({ code: "invalid-request" });
    }
    expect(never).not.toHaveBeenCalled();
  });

  test.each<[string, unknown]>([
    ["texts", { model: "m" }],
    ["texts", { model: "m", texts: [1] }],
    ["model", { texts: ["a"] }],
  ])("an embedding without %s: %j", async (field, request) => {
    const embed = vi.fn();
    const provider = pluginOf(() => ({ embed })).create();
    const error = await faultOf(Promise.resolve(provider.embed?.(request as never)));
    expect(error).toMatchObject({ code: "invalid-request" });
    expect(String(error)).toContain(field);
    expect(embed).not.toHaveBeenCalled();
  });
});

describe("what a plugin does not declare", () => {
  const calls: ChatRequest["messages"] = [
    ...ask.messages,
    { role: "assistant", content: [{ type: "tool-call", id: "1", name: "look", input: {} }] },
    { role: "tool", content: [{ type: "tool-result", id: "1", name: "look", output: "seen" }] },
  ];

  test("is refused also where it stands in earlier messages", async () => {
    const error = await faultOf(
      eventsOf(requireOperation(chat(undefined, []), "chat")({ ...ask, messages: calls })),
    );
    expect(error).toMatchObject({ code: "unsupported" });
  });

  test("as structured output left out with a warning, is not asked of the text either", async () => {
    const request: ChatRequest = { ...ask, responseFormat: { type: "json" }, unsupported: "warn" };
    const answer = await generate(chat(undefined, []), request);
    expect(answer).toMatchObject({ text: "a", warnings: [{ option: "responseFormat" }] });
    expect(answer.output).toBeUndefined();
  });
});

describe("what a plugin answers is checked where it is cheap", () => {
  test.each<[string, Partial<Provider>, string]>([
    [
      "vectors that are no numbers",
      {
        embed: async ({ model }) => ({
          model,
          vectors: [Float32Array.of(1, Number.NaN)],
          usage: { inputTokens: 1 },
        }),
      },
      "embed",
    ],
    [
      "vectors of no length",
      { embed: async ({ model }) => ({ model, vectors: [new Float32Array()], usage: { inputTokens: 1 } }) },
      "embed",
    ],
    ["too few scores", { rerank: async ({ model }) => ({ model, scores: [] }) }, "rerank"],
    [
      "scores that are no numbers",
      { rerank: async ({ model }) => ({ model, scores: [Number.NaN] }) },
      "rerank",
    ],
  ])("%s are invalid-response", async (_, methods) => {
    const provider = pluginOf(() => methods).create();
    const asked =
      provider.embed?.({ model: "m", texts: ["a"] }) ??
      provider.rerank?.({ model: "m", query: "q", documents: ["d"] });
    expect(await faultOf(Promise.resolve(asked))).toMatchObject({ code: "invalid-response" });
  });

  test("of no documents nobody is asked", async () => {
    const rerank = vi.fn();
    const provider = pluginOf(() => ({ rerank })).create();
    expect(await provider.rerank?.({ model: "m", query: "q", documents: [] })).toMatchObject({ scores: [] });
    expect(rerank).not.toHaveBeenCalled();
  });
});

describe("an answer collected", () => {
  const from = (...events: ChatEvent[]) =>
    fromBatches(async function* () {
      yield [start, ...events, finish];
    });

  test("keeps blocks apart that come interleaved, in the order of their beginnings", async () => {
    const { message } = await collect(
      from(
        { type: "reasoning-start", id: "r" },
        { type: "text-start", id: "t" },
        { type: "text-delta", id: "t", text: "he" },
        { type: "reasoning-delta", id: "r", text: "hm" },
        { type: "text-delta", id: "t", text: "llo" },
        { type: "text-end", id: "t" },
        { type: "reasoning-end", id: "r" },
      ),
    );
    expect(message.content).toEqual([
      { type: "reasoning", text: "hm" },
      { type: "text", text: "hello" },
    ]);
  });

  test("hands back what the provider left on a part for itself", async () => {
    const providerData = { p: { signature: "x" } };
    const { message } = await collect(
      from(
        { type: "reasoning-start", id: "r" },
        { type: "reasoning-end", id: "r", providerData },
        { type: "text-start", id: "t" },
        { type: "text-end", id: "t", providerData },
        { type: "tool-call", id: "1", name: "look", inputText: "null", input: null, providerData },
      ),
    );
    expect(message.content).toEqual([
      { type: "reasoning", text: "", providerData },
      { type: "text", text: "", providerData },
      { type: "tool-call", id: "1", name: "look", input: null, providerData },
    ]);
  });

  test("of JSON that is none is output-invalid, also from a provider that no plugin made", async () => {
    const bare: Provider = {
      name: "bare",
      stream: streamOf([[start, ...says("no"), finish]]),
      close: async () => undefined,
    };
    expect(await faultOf(generate(bare, { ...ask, responseFormat: { type: "json" } }))).toMatchObject({
      code: "output-invalid",
    });
  });
});

describe("a registry", () => {
  test("names every fault in the house's way, whatever a plugin throws", async () => {
    const registry = createRegistry();
    const plugin = pluginOf(() => {
      throw new TypeError("no address");
    });
    registry.register(plugin);
    expect(await faultOf(registry.provider("double"))).toMatchObject({
      code: "provider-internal",
      provider: "double",
    });
  });

  test("closes all providers, and tells which could not be", async () => {
    let closed = false;
    const registry = createRegistry();
    registry.register(pluginOf(() => ({ close: () => Promise.reject(new Error("stuck")) }), { id: "bad" }));
    const late = async (): Promise<void> => {
      await new Promise(setImmediate);
      closed = true;
    };
    registry.register(pluginOf(() => ({ close: late }), { id: "good" }));
    await Promise.all([registry.provider("bad"), registry.provider("good")]);
    expect(await faultOf(registry.close())).toMatchObject({ provider: "bad", phase: "close" });
    expect(closed).toBe(true);
  });

  test("waits for an import without end where the limit is Infinity", async () => {
    const load = async (): Promise<unknown> => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { default: pluginOf(() => ({})) };
    };
    const manifest = {
      contract: 1,
      id: "double",
      entry: "./x.js",
      operations: [],
      features: [],
      modelFormats: [],
    } as const;
    const plugins = [{ packageName: "p", packageVersion: "1.0.0", manifest, load }];
    const registry = createRegistry({
      discovery: { plugins, models: [], diagnostics: [] },
      importTimeoutMs: Number.POSITIVE_INFINITY,
    });
    expect((await registry.provider("double")).name).toBe("double");
  });
});
