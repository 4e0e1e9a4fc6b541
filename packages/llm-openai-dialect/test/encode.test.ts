import type { ChatRequest } from "@enginehouse/llm-core";
import { expect, test } from "vitest";

import { encodeChat, encodeResponses, PLAIN, type Quirks } from "../src/index.ts";
import { REQUEST } from "./read.ts";

const body = (request: Partial<ChatRequest>, quirks: Partial<Quirks> = {}): Record<string, unknown> =>
  encodeChat({ ...REQUEST, ...request }, { quirks: { ...PLAIN, ...quirks }, path: "" }).body;

test("a plain request is a plain body, always streamed", () => {
  expect(body({})).toEqual({
    model: "m",
    messages: [{ role: "user", content: "Hi" }],
    stream: true,
    stream_options: { include_usage: true },
  });
});

test("options go under the server's own names", () => {
  const options = { temperature: 0, topP: 0.5, topK: 3, seed: 7, stop: ["a", "b"], maxTokens: 9 } as const;
  expect(
    body(options, {
      extraOptions: { topK: "top_k" },
      seedField: "random_seed",
      maxTokensField: "max_completion_tokens",
    }),
  ).toMatchObject({
    temperature: 0,
    top_p: 0.5,
    top_k: 3,
    random_seed: 7,
    stop: ["a", "b"],
    max_completion_tokens: 9,
  });
});

test("what the wire has no word for is refused, or left out with a warning", () => {
  const request = { ...REQUEST, keepAlive: 1_000, minP: 0.1 };
  const options = { quirks: PLAIN, path: "" };
  expect(() => encodeChat(request, options)).toThrowError(
    expect.objectContaining({ code: "unsupported" }) as Error,
  );
  const { warnings, body } = encodeChat({ ...request, unsupported: "warn" }, options);
  expect(warnings.map(({ code, option }) => [code, option])).toEqual([
    ["unsupported", "minP"],
    ["unsupported", "keepAlive"],
  ]);
  expect(body).not.toHaveProperty("min_p");
});

test("a time to stay loaded is sent in seconds where the server takes one", () => {
  expect(body({ keepAlive: 90_500 }, { keepAlive: "ttl" })).toMatchObject({ ttl: 91 });
});

test("reasoning is asked for in the way of the server", () => {
  expect(body({ reasoning: "low" })).toMatchObject({ reasoning_effort: "low" });
  expect(body({ reasoning: "none" }, { reasoning: "object" })).toMatchObject({
    reasoning: { enabled: false },
  });
  expect(body({ reasoning: "high" }, { reasoning: "template" })).toMatchObject({
    chat_template_kwargs: { enable_thinking: true, reasoning_effort: "high" },
  });
  expect(body({ reasoning: "none" }, { reasoning: false })).not.toHaveProperty("reasoning_effort");
  expect(() => body({ reasoning: "low" }, { reasoning: false })).toThrow(/how much/);
});

test("a schema is strict where every object of it is closed and whole", () => {
  const closed = {
    type: "object",
    properties: { a: { type: "string" } },
    required: ["a"],
    additionalProperties: false,
  };
  const strict = (schema: object): unknown =>
    (
      body({ responseFormat: { type: "json", name: "a name", schema: schema as never } })[
        "response_format"
      ] as {
        json_schema: { strict: boolean };
      }
    ).json_schema;
  expect(strict(closed)).toEqual({ name: "a_name", strict: true, schema: closed });
  expect(strict({ ...closed, required: [] })).toMatchObject({ strict: false });
  expect(strict({ type: "array", items: { type: "object" } })).toMatchObject({ strict: false });
});

test("JSON of any shape is asked for in the way of the server", () => {
  const responseFormat = { type: "json" } as const;
  expect(body({ responseFormat })["response_format"]).toEqual({ type: "json_object" });
  expect(body({ responseFormat }, { jsonObject: false })["response_format"]).toMatchObject({
    type: "json_schema",
    json_schema: { schema: { type: "object" } },
  });
});

test("names that the wire does not take are changed, without two becoming one", () => {
  const names = ["get.weather", "get_weather", "get weather", "x".repeat(70), `${"x".repeat(69)}y`];
  const request = { ...REQUEST, tools: names.map((name) => ({ name })), toolChoice: { name: "get.weather" } };
  const encoded = encodeChat(request, { quirks: PLAIN, path: "" });
  const sent = (encoded.body["tools"] as { function: { name: string } }[]).map((tool) => tool.function.name);
  expect(new Set(sent).size).toBe(5);
  for (const name of sent) expect(name).toMatch(/^[\w-]{1,64}$/);
  expect(sent[1]).toBe("get_weather");
  expect(sent.map(encoded.names.fromWire)).toEqual(names);
  expect(encoded.body["tool_choice"]).toEqual({ type: "function", function: { name: sent[0] } });
});

test("a tool that must be called is the only one sent where the server cannot be told its name", () => {
  const tools = [{ name: "a" }, { name: "b" }];
  const sent = body({ tools, toolChoice: { name: "b" } }, { namedTool: false });
  expect(sent["tools"]).toHaveLength(1);
  expect(sent["tool_choice"]).toBe("required");
});

test("a conversation with calls, results, thoughts and an image", () => {
  const messages: ChatRequest["messages"] = [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "See" },
        { type: "file", mediaType: "image/png", data: new Uint8Array([1, 2, 3]) },
      ],
    },
    {
      role: "assistant",
      content: [
        { type: "reasoning", text: "hm" },
        { type: "tool-call", id: "c1", name: "t.x", input: { a: 1 } },
      ],
    },
    {
      role: "tool",
      content: [
        { type: "tool-result", id: "c1", name: "t.x", output: "sunny" },
        { type: "tool-result", id: "c2", name: "t.x", output: { no: 1 }, isError: true },
      ],
    },
  ];
  expect(body({ messages }, { reasoningBack: "reasoning_content" })["messages"]).toEqual([
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "See" },
        { type: "image_url", image_url: { url: "data:image/png;base64,AQID" } },
      ],
    },
    {
      role: "assistant",
      content: null,
      reasoning_content: "hm",
      tool_calls: [{ id: "c1", type: "function", function: { name: "t_x", arguments: '{"a":1}' } }],
    },
    { role: "tool", tool_call_id: "c1", content: "sunny" },
    { role: "tool", tool_call_id: "c2", content: '{"error":{"no":1}}' },
  ]);
});

test("earlier thoughts that a server does not take are left out with a warning, not refused", () => {
  const messages: ChatRequest["messages"] = [
    {
      role: "assistant",
      content: [
        { type: "reasoning", text: "hm" },
        { type: "text", text: "So." },
      ],
    },
    { role: "user", content: "And?" },
  ];
  const { warnings } = encodeChat({ ...REQUEST, messages }, { quirks: PLAIN, path: "" });
  expect(warnings).toMatchObject([{ code: "dropped", option: "messages" }]);
});

test("fields of the caller's own go into the body, those of the request itself do not", () => {
  const options = { quirks: PLAIN, path: "providerOptions.x" };
  const own = { service_tier: "flex", stream_options: { more: true } };
  expect(encodeChat(REQUEST, { ...options, own }).body).toMatchObject({
    service_tier: "flex",
    stream_options: { include_usage: true, more: true },
  });
  expect(() => encodeChat(REQUEST, { ...options, own: { stream: false } })).toThrow(
    "providerOptions.x.stream",
  );
});

test("ids of calls from elsewhere are made what a server takes, a call's and its result's alike", () => {
  const call = (id: string) => ({ type: "tool-call", id, name: "t", input: {} }) as const;
  const result = (id: string) => ({ type: "tool-result", id, name: "t", output: 1 }) as const;
  const ids = ["call_1_m8k2", "abcDEF123", "call00001", "call_2_m8k2"];
  const messages: ChatRequest["messages"] = [
    ...REQUEST.messages,
    { role: "assistant", content: ids.map(call) },
    { role: "tool", content: ids.map(result) },
  ];
  const sent = (quirks: Partial<Quirks>): readonly unknown[] =>
    (
      body({ messages }, quirks)["messages"] as { tool_calls?: { id: string }[]; tool_call_id?: string }[]
    ).flatMap((message) => message.tool_calls?.map(({ id }) => id) ?? message.tool_call_id ?? []);
  expect(sent({})).toEqual([...ids, ...ids]);
  const short = ["call00002", "abcDEF123", "call00001", "call00003"];
  expect(sent({ shortCallIds: true })).toEqual([...short, ...short]);
});

test("nothing of a request is changed", () => {
  const request = JSON.parse(JSON.stringify({ ...REQUEST, tools: [{ name: "a.b" }] })) as ChatRequest;
  const copy = structuredClone(request);
  encodeChat(request, { quirks: PLAIN, path: "" });
  encodeResponses(request, { quirks: PLAIN, path: "" });
  expect(request).toEqual(copy);
});
