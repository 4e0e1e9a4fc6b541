import assert from "node:assert/strict";

import { type ChatEvent, type ChatRequest, collect, isLlmError, type Provider } from "@enginehouse/llm-core";

import type { LiveBench, LiveCheck } from "./live-check.ts";
import { unreachable } from "./reach.ts";

/** Shapes only: a model may say anything, and a small one will. */
export const LIVE_CHECKS: readonly LiveCheck[] = [
  {
    id: "live-reach",
    promise: "Something answers at the address.",
    async run({ addresses, signal }) {
      for (const address of addresses) {
        const reason = await unreachable(address, signal);
        assert.ok(
          reason === undefined,
          `nothing answers at ${address} (${reason}): start the server, or name another address`,
        );
      }
    },
  },
  {
    id: "live-health",
    promise: "The backend is healthy.",
    needs: { operations: ["health"] },
    async run({ provider, signal }) {
      const health = await provider.health?.({ signal });
      assert.equal(health?.status, "ok", `health says ${JSON.stringify(health)}`);
    },
  },
  {
    id: "live-list",
    promise: "The list has the model under the name that a chat takes.",
    needs: { operations: ["list"] },
    async run({ provider, model, signal }) {
      const ids = (await provider.listModels?.({ signal }))?.map(({ id }) => id) ?? [];
      assert.ok(ids.includes(model), `the list has ${ids.join(", ")}`);
    },
  },
  {
    id: "live-describe",
    promise: "The model's description names it, and says nothing that is no size.",
    needs: { operations: ["describe"] },
    async run({ provider, model, signal }) {
      const described = await provider.describeModel?.(model, { signal });
      assert.equal(described?.id, model);
      const { contextWindow, dimensions, sizeBytes, maxInputTokens, maxOutputTokens } = described;
      const sizes = { contextWindow, dimensions, sizeBytes, maxInputTokens, maxOutputTokens };
      for (const [name, size] of Object.entries(sizes)) assertCount(name, size);
    },
  },
  {
    id: "live-stream",
    promise: "A stream has one start first, one finish last, and every piece inside of an open block.",
    needs: { operations: ["chat"] },
    async run(bench) {
      assertOrder(await eventsOf(bench));
    },
  },
  {
    id: "live-text",
    promise: "The pieces of an answer are its text.",
    needs: { operations: ["chat"] },
    async run(bench) {
      const events = await eventsOf(bench);
      const joined = events.map((event) => (event.type === "text-delta" ? event.text : "")).join("");
      const { text, reasoning } = await collect(from(events));
      assert.equal(text, joined);
      assert.ok(text !== "" || reasoning !== "", "neither text nor reasoning came");
    },
  },
  {
    id: "live-usage",
    promise: "Token counts are whole and positive, or not there.",
    needs: { operations: ["chat"] },
    async run(bench) {
      const finish = (await eventsOf(bench)).at(-1);
      assert.ok(finish?.type === "finish");
      for (const [name, count] of Object.entries(finish.usage)) assertCount(name, count, 0);
      assertCount("context.window", finish.context.window);
    },
  },
  {
    id: "live-abort",
    promise: "An abort in the middle ends the answer soon, with `aborted`, and the next answer comes.",
    needs: { operations: ["chat"] },
    async run(bench) {
      const controller = new AbortController();
      let later = 0;
      const whole = read({ ...bench, signal: controller.signal }, { maxTokens: 512 }, () => {
        if (controller.signal.aborted) later += 1;
        else controller.abort();
      });
      const error = await whole.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      // A short answer may have been there to its end before the abort.
      if (error === undefined) assert.ok(later < 100, `${later} more pieces came after the abort`);
      else
        assert.ok(
          isLlmError(error) && error.code === "aborted",
          `it ended with ${error instanceof Error ? error.message : "what is no Error"}`,
        );
      assertOrder(await eventsOf(bench));
    },
  },
  {
    id: "live-leave",
    promise: "Leaving the loop ends the call, and the next answer comes.",
    needs: { operations: ["chat"] },
    async run(bench) {
      for await (const event of answer(bench, { maxTokens: 512 })) if (event.type === "text-delta") break;
      assertOrder(await eventsOf(bench));
    },
  },
  {
    id: "live-schema",
    promise: "What was asked for as JSON of a schema parses and fits it.",
    needs: { operations: ["chat"], features: ["json-schema"] },
    async run(bench) {
      const schema = {
        type: "object",
        properties: { city: { type: "string", maxLength: 40 } },
        required: ["city"],
        additionalProperties: false,
      };
      const events = await eventsOf(bench, { responseFormat: { type: "json", schema }, maxTokens: 256 });
      const { text } = await collect(from(events));
      const value = JSON.parse(text) as { readonly city?: unknown };
      assert.equal(typeof value.city, "string", `the answer was ${text}`);
    },
  },
  {
    id: "live-tools",
    promise: "With a tool at hand the answer is text or a whole call.",
    needs: { operations: ["chat"], features: ["tools"] },
    async run(bench) {
      const inputSchema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
      const tools = [{ name: "weather", description: "The weather of a city", inputSchema }];
      const events = await eventsOf(bench, { tools, maxTokens: 256 });
      assertOrder(events);
      for (const event of events) {
        if (event.type !== "tool-call") continue;
        assert.equal(event.name, "weather");
        assert.ok(event.id !== "", "a call has no id");
        assert.ok(
          (event.input === undefined) !== (event.inputError === undefined),
          "input or inputError, not both",
        );
      }
    },
  },
  {
    id: "live-embed",
    promise: "There is one vector for each text, all of one length, finite, and of length 1.",
    needs: { operations: ["embed"] },
    embeds: true,
    async run({ provider, embeddingModel = "", signal }) {
      const texts = ["A harbour at night.", "The sum of two numbers.", "Hafen bei Nacht."];
      const { vectors = [] } = (await provider.embed?.({ model: embeddingModel, texts }, { signal })) ?? {};
      assert.equal(vectors.length, texts.length);
      for (const vector of vectors) {
        assert.equal(vector.length, vectors[0]?.length);
        const length = Math.hypot(...vector);
        assert.ok(Math.abs(length - 1) < 0.01, `a vector's length is ${length}`);
      }
    },
  },
  {
    id: "live-close",
    promise: "After close() a call is refused with `shut-down`.",
    needs: { operations: ["chat"] },
    async run(bench) {
      await bench.provider.close();
      await assert.rejects(eventsOf(bench), (error) => isLlmError(error) && error.code === "shut-down");
    },
  },
];

type More = Partial<ChatRequest>;

function answer({ provider, model, signal }: LiveBench, more: More): AsyncIterable<ChatEvent> {
  const messages = [{ role: "user", content: "Name a city, and say a few words about it." }] as const;
  return streamOf(provider)({ model, messages, maxTokens: 64, ...more }, { signal });
}

async function read(bench: LiveBench, more: More, onPiece: () => void): Promise<void> {
  for await (const { type } of answer(bench, more)) {
    if (type === "text-delta" || type === "reasoning-delta") onPiece();
  }
}

async function eventsOf(bench: LiveBench, more: More = {}): Promise<readonly ChatEvent[]> {
  const events: ChatEvent[] = [];
  for await (const event of answer(bench, more)) events.push(event);
  return events;
}

function streamOf(provider: Provider): NonNullable<Provider["stream"]> {
  assert.ok(provider.stream !== undefined, "the provider has no stream");
  return provider.stream.bind(provider);
}

async function* from(events: readonly ChatEvent[]): AsyncGenerator<ChatEvent> {
  yield* events;
}

function assertOrder(events: readonly ChatEvent[]): void {
  const types = events.map(({ type }) => type);
  assert.equal(types[0], "start");
  assert.equal(types.at(-1), "finish");
  assert.equal(types.filter((type) => type === "start" || type === "finish").length, 2, types.join(" "));
  const open = new Set<string>();
  for (const event of events) {
    switch (event.type) {
      case "text-start":
      case "reasoning-start":
      case "tool-input-start":
        assert.ok(!open.has(event.id), `the block ${event.id} is opened twice`);
        open.add(event.id);
        break;
      case "text-delta":
      case "reasoning-delta":
      case "tool-input-delta":
        assert.ok(open.has(event.id), `a piece of the block ${event.id}, which is not open`);
        break;
      case "text-end":
      case "reasoning-end":
      case "tool-input-end":
        assert.ok(open.delete(event.id), `the block ${event.id} is closed and was not open`);
        break;
      case "start":
      case "status":
      case "tool-call":
      case "raw":
      case "finish":
    }
  }
  assert.equal(open.size, 0, `blocks are left open: ${[...open].join(" ")}`);
}

function assertCount(name: string, count: number | undefined, least = 1): void {
  if (count === undefined) return;
  assert.ok(Number.isInteger(count) && count >= least, `${name} is ${count}`);
}
