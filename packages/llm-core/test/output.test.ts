import { describe, expect, test } from "vitest";

import {
  type ChatEvent,
  type ChatRequest,
  type FinishReason,
  fromBatches,
  generate,
  LlmError,
  type PartialAnswer,
  type Provider,
  requireOperation,
} from "../src/index.ts";
import { ask, eventsOf, faultOf, finish, pluginOf, says, start, streamOf } from "./double.ts";

const readAll = (provider: Provider, request: ChatRequest): Promise<ChatEvent[]> =>
  eventsOf(requireOperation(provider, "chat")(request));

describe("JSON output", () => {
  const json = (text: string, unified: FinishReason["unified"] = "stop"): Provider =>
    pluginOf(
      () => ({
        stream: streamOf([
          [start, ...says(text), { ...finish, reason: { unified, raw: unified } } as ChatEvent],
        ]),
      }),
      { features: ["json-schema"] },
    ).create();
  const request: ChatRequest = { ...ask, responseFormat: { type: "json" } };

  test("with a schema deeper than any stack is refused before the provider is called", async () => {
    let schema: object = { type: "string" };
    for (let depth = 0; depth < 20_000; depth += 1) schema = { type: "object", properties: { a: schema } };
    const deep = { ...request, responseFormat: { type: "json", schema } } as ChatRequest;
    expect(await faultOf(readAll(json("{}"), deep))).toMatchObject({ code: "invalid-request" });
    let less: object = { type: "string" };
    for (let depth = 0; depth < 5_000; depth += 1) less = { type: "array", items: less };
    const wide = { ...request, responseFormat: { type: "json", schema: less } } as ChatRequest;
    expect(["invalid-request", "output-invalid"]).toContain(
      ((await faultOf(readAll(json("{}"), wide))) as LlmError).code,
    );
  });

  test("is parsed by generate", async () => {
    expect((await generate(json('{"a":[1]}'), request)).output).toEqual({ a: [1] });
  });

  test("that is no JSON is output-invalid with its text, never repaired", async () => {
    const error = await faultOf(readAll(json("```json\n{}\n```"), request));
    expect(error).toMatchObject({ code: "output-invalid", partial: { text: "```json\n{}\n```" } });
  });

  test("that was cut by the limit says so", async () => {
    const error = await faultOf(readAll(json('{"a":', "length"), request));
    expect(error).toMatchObject({ code: "output-invalid", retryable: false });
    expect((error as LlmError).hint).toContain("maxTokens");
  });

  const schema = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] } as const;
  const held: ChatRequest = { ...ask, responseFormat: { type: "json", schema } };

  test("that fits its schema is a value, also where the limit ended the answer right behind it", async () => {
    expect((await generate(json('{"a":1}'), held)).output).toEqual({ a: 1 });
    expect((await generate(json('{"a":1}', "length"), held)).output).toEqual({ a: 1 });
  });

  test("that breaks its schema is output-invalid at its place, with its text", async () => {
    for (const error of [
      await faultOf(readAll(json('{"a":"1"}'), held)),
      await faultOf(generate(json('{"a":"1"}'), held)),
    ]) {
      expect(error).toMatchObject({
        code: "output-invalid",
        message: 'the output breaks its schema at "/a": expected integer, got string',
        retryable: true,
        partial: { text: '{"a":"1"}', usage: { inputTokens: 3 } },
      });
    }
    expect(await faultOf(readAll(json("[]"), held))).toMatchObject({ code: "output-invalid" });
  });

  test("that breaks its schema because it was cut says so", async () => {
    expect(await faultOf(readAll(json("{}", "length"), held))).toMatchObject({
      message: expect.stringContaining("cut by the output limit"),
      retryable: false,
    });
  });

  test("that a filter withheld is no broken output", async () => {
    expect(await faultOf(readAll(json("I cannot.", "content-filter"), held))).toMatchObject({
      code: "content-filtered",
      partial: { text: "I cannot." },
    });
  });

  test("is not asked of an answer that calls a tool", async () => {
    const call: ChatEvent = { type: "tool-call", id: "c", name: "t", inputText: "", input: {} };
    const provider = pluginOf(() => ({ stream: streamOf([[start, call, finish]]) }), {
      features: ["json-schema"],
    }).create();
    expect((await generate(provider, held)).toolCalls).toHaveLength(1);
  });

  test("of a schema that cannot be held is refused before the provider is called, or warned of", async () => {
    let calls = 0;
    const provider = pluginOf(
      () => ({
        stream: () => {
          calls += 1;
          return streamOf([[start, ...says('{"a":1}'), finish]])();
        },
      }),
      { features: ["json-schema"] },
    ).create();
    const odd: ChatRequest = {
      ...ask,
      responseFormat: { type: "json", schema: { properties: { a: { unevaluatedProperties: false } } } },
    };
    const error = await faultOf(readAll(provider, odd));
    expect(error).toMatchObject({ code: "unsupported", hint: expect.stringContaining("warn") });
    expect((error as LlmError).message).toContain('"/properties/a": "unevaluatedProperties"');
    expect(calls).toBe(0);
    const { warnings, output } = await generate(provider, { ...odd, unsupported: "warn" });
    expect(warnings).toMatchObject([{ code: "unsupported", option: "responseFormat" }]);
    expect(output).toEqual({ a: 1 });
  });
});

describe("a partial answer", () => {
  const failing = (partial: PartialAnswer, events: ChatEvent[] = [start, ...says("Half")]): Provider =>
    pluginOf(() => ({
      stream: () =>
        fromBatches(async function* () {
          yield events;
          throw new LlmError("stream-interrupted", "cut", { partial });
        }),
    })).create();
  const nothing: PartialAnswer = { text: "", reasoning: "", toolCalls: [] };
  const usage = { inputTokens: 33, outputTokens: undefined };

  test("has the host's words and the counts that only the provider knows", async () => {
    expect(await faultOf(readAll(failing({ ...nothing, usage }), ask))).toMatchObject({
      partial: { text: "Half", usage },
    });
    expect(await faultOf(readAll(failing({ ...nothing, usage }, [start]), ask))).toMatchObject({
      partial: { text: "", usage },
    });
  });

  test("keeps what the provider had read and could not hand on", async () => {
    expect(await faultOf(readAll(failing({ ...nothing, text: "Half of it" }), ask))).toMatchObject({
      partial: { text: "Half of it" },
    });
  });

  test("of a call that its caller cancelled has the counts, too", async () => {
    const controller = new AbortController();
    const provider = failing({ ...nothing, usage });
    const reading = (async () => {
      for await (const { type } of requireOperation(provider, "chat")(ask, { signal: controller.signal }))
        if (type === "text-end") controller.abort();
    })();
    expect(await faultOf(reading)).toMatchObject({ code: "aborted", partial: { text: "Half", usage } });
  });
});
