import type { ChatRequest } from "@enginehouse/llm-core";
import { expect, test } from "vitest";

import { encodeResponses, PLAIN } from "../src/index.ts";
import { answerOf, brokenOff, faultOf, lines, REQUEST } from "./read.ts";

const api = "responses" as const;
const added = (item: object, output_index = 0): object => ({
  type: "response.output_item.added",
  output_index,
  item,
});
const done = (item: object, output_index = 0): object => ({
  type: "response.output_item.done",
  output_index,
  item,
});
const completed = {
  type: "response.completed",
  response: {
    status: "completed",
    usage: { input_tokens: 4, output_tokens: 6, output_tokens_details: { reasoning_tokens: 2 } },
  },
};

test("a request becomes items, and the server keeps nothing", () => {
  const request: ChatRequest = {
    ...REQUEST,
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Weather?" },
      {
        role: "assistant",
        content: [
          {
            type: "reasoning",
            text: "hm",
            providerData: {
              responsesItem: { type: "reasoning", id: "rs", encrypted_content: "xyz", summary: [] },
            },
          },
          { type: "tool-call", id: "c", name: "t", input: {} },
        ],
      },
      { role: "tool", content: [{ type: "tool-result", id: "c", name: "t", output: "sun" }] },
    ],
    tools: [{ name: "t" }],
    toolChoice: { name: "t" },
    maxTokens: 5,
    reasoning: "low",
    responseFormat: { type: "json", schema: { type: "object" } },
  };
  const { body, warnings } = encodeResponses(request, {
    quirks: { ...PLAIN, encryptedReasoning: true },
    path: "",
  });
  expect(warnings).toEqual([]);
  expect(body).toEqual({
    model: "m",
    stream: true,
    store: false,
    include: ["reasoning.encrypted_content"],
    max_output_tokens: 5,
    reasoning: { effort: "low" },
    text: { format: { type: "json_schema", name: "answer", schema: { type: "object" }, strict: false } },
    tools: [{ type: "function", name: "t", parameters: { type: "object", properties: {} }, strict: false }],
    tool_choice: { type: "function", name: "t" },
    input: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Weather?" },
      { type: "reasoning", id: "rs", encrypted_content: "xyz", summary: [] },
      { type: "function_call", call_id: "c", name: "t", arguments: "{}" },
      { type: "function_call_output", call_id: "c", output: "sun" },
    ],
  });
});

test("a schema goes in the field that the server heeds", () => {
  const request = { ...REQUEST, responseFormat: { type: "json", schema: { type: "object" } } } as const;
  const quirks = { ...PLAIN, responsesFormat: "response_format" } as const;
  const { body } = encodeResponses(request, { quirks, path: "" });
  expect(body).not.toHaveProperty("text");
  expect(body).toMatchObject({
    response_format: { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } },
  });
});

test("options that Responses lacks are refused by name", () => {
  const request = { ...REQUEST, stop: ["x"], seed: 1 };
  expect(() => encodeResponses(request, { quirks: PLAIN, path: "" })).toThrow(/"seed"/);
  const { warnings } = encodeResponses({ ...request, unsupported: "warn" }, { quirks: PLAIN, path: "" });
  expect(warnings.map(({ option }) => option)).toEqual(["seed", "stop"]);
});

test("thoughts, text and a call arrive in order, with what must come back", async () => {
  const reasoning = { type: "reasoning", id: "r1", encrypted_content: "xyz", summary: [] };
  const events = [
    { type: "response.created", response: {} },
    added({ type: "reasoning", id: "r1" }),
    { type: "response.reasoning_summary_text.delta", item_id: "r1", delta: "hm" },
    done(reasoning),
    added({ type: "message", id: "m1" }, 1),
    { type: "response.output_text.delta", item_id: "m1", delta: "Let me see." },
    done({ type: "message", id: "m1", content: [{ type: "output_text", text: "Let me see." }] }, 1),
    added({ type: "function_call", id: "f1", call_id: "c1", name: "t", arguments: "" }, 2),
    { type: "response.function_call_arguments.delta", item_id: "f1", delta: '{"a"' },
    { type: "response.function_call_arguments.delta", item_id: "f1", delta: ":1}" },
    done({ type: "function_call", id: "f1", call_id: "c1", name: "t", arguments: '{"a":1}' }, 2),
    completed,
  ];
  const answer = await answerOf(lines(events), { api, quirks: { encryptedReasoning: true }, cut: 11 });
  expect(answer).toMatchObject({
    reasoning: "hm",
    text: "Let me see.",
    toolCalls: [{ id: "c1", name: "t", input: { a: 1 } }],
    finishReason: { unified: "tool-calls", raw: "completed" },
    usage: { inputTokens: 4, outputTokens: 6, reasoningTokens: 2 },
  });
  expect(answer.message.content).toMatchObject([
    { type: "reasoning", providerData: { responsesItem: reasoning } },
    { type: "text" },
    { type: "tool-call" },
  ]);
});

test("thoughts of which the server shows nothing come back all the same", async () => {
  const hidden = { type: "reasoning", id: "r1", encrypted_content: "xyz", summary: [] };
  const events = [
    added({ type: "reasoning", id: "r1", summary: [] }),
    done(hidden),
    { type: "response.output_text.delta", item_id: "m1", delta: "Yes." },
    completed,
  ];
  const answer = await answerOf(lines(events), { api, quirks: { encryptedReasoning: true } });
  expect(answer).toMatchObject({ reasoning: "", text: "Yes." });
  const { body } = encodeResponses(
    { ...REQUEST, messages: [...REQUEST.messages, answer.message] },
    { quirks: { ...PLAIN, encryptedReasoning: true }, path: "" },
  );
  expect(body["input"]).toMatchObject([{ role: "user" }, hidden, { type: "message" }]);
});

test("items that come whole, without pieces, are not lost", async () => {
  const events = [
    done({ type: "message", id: "m1", content: [{ type: "output_text", text: "Whole." }] }),
    done({ type: "function_call", id: "f1", call_id: "c1", name: "t", arguments: "{}" }, 1),
    completed,
  ];
  expect(await answerOf(lines(events), { api })).toMatchObject({ text: "Whole.", toolCalls: [{ id: "c1" }] });
});

test("an answer that is cut or filtered says why", async () => {
  const ending = (reason: string): string =>
    lines([
      { type: "response.output_text.delta", item_id: "m", delta: "x" },
      { type: "response.incomplete", response: { status: "incomplete", incomplete_details: { reason } } },
    ]);
  expect((await answerOf(ending("max_output_tokens"), { api })).finishReason.unified).toBe("length");
  expect((await answerOf(ending("content_filter"), { api })).finishReason.unified).toBe("content-filter");
});

test("failures are errors with what had come, and an end without a closing event is an interruption", () => {
  const text = { type: "response.output_text.delta", item_id: "m", delta: "Half" };
  const failed = {
    type: "response.failed",
    response: { error: { code: "rate_limit_exceeded", message: "slow" } },
  };
  expect(brokenOff(lines([text, failed]), { api })).toMatchObject({
    fault: { code: "rate-limited", message: "slow" },
    text: "Half",
  });
  const error = { type: "error", code: "server_error", message: "boom" };
  expect(faultOf(lines([text, error]), { api })).toMatchObject({
    code: "provider-internal",
    message: "boom",
  });
  expect(brokenOff(lines([text]), { api })).toMatchObject({
    fault: { code: "stream-interrupted" },
    text: "Half",
  });
});

test("thoughts of another server do not go where none are taken", () => {
  const item = { type: "reasoning", id: "rs", encrypted_content: "xyz", summary: [] };
  const content = [
    { type: "reasoning", text: "", providerData: { responsesItem: item } },
    { type: "text", text: "Yes." },
  ] as const;
  const request = { ...REQUEST, messages: [...REQUEST.messages, { role: "assistant" as const, content }] };
  const { body, warnings } = encodeResponses(request, { quirks: PLAIN, path: "" });
  expect(body["input"]).toMatchObject([{ role: "user" }, { type: "message" }]);
  expect(warnings).toMatchObject([{ code: "dropped", option: "messages" }]);
});

test("texts of one message are one item where the server would put line ends between them", () => {
  const content = ["It ", "is "].map((text) => ({ type: "text", text }) as const);
  const request = { ...REQUEST, messages: [...REQUEST.messages, { role: "assistant" as const, content }] };
  const itemsOf = (repeatsGiven: boolean): unknown =>
    encodeResponses(request, { quirks: { ...PLAIN, repeatsGiven }, path: "" }).body["input"];
  const says = (text: string) => ({ role: "assistant", content: [{ type: "output_text", text }] });
  expect(itemsOf(true)).toMatchObject([{ role: "user" }, says("It is ")]);
  expect(itemsOf(false)).toMatchObject([{ role: "user" }, says("It "), says("is ")]);
});
