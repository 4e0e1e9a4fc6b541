import { expect, test } from "vitest";

import { answerOf, brokenOff, call, chat, eventsOf, faultOf, lines } from "./read.ts";

const USAGE = { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } };

test("a stream without a role, and with unknown fields, is read", async () => {
  const answer = await answerOf(
    chat([{ content: "Hel", odd: { a: [1] } }, { content: "lo" }], "stop", [USAGE]),
  );
  expect(answer).toMatchObject({ text: "Hello", usage: { inputTokens: 3, outputTokens: 2 } });
});

test("[DONE] may be missing where the reason was told", async () => {
  const body = chat([{ content: "Hi" }]).replace("data: [DONE]\n\n", "");
  expect((await answerOf(body)).finishReason.unified).toBe("stop");
});

test("an answer without a reason is interrupted, with [DONE] or an empty piece as well", () => {
  for (const body of [
    chat([{ content: "Hi" }], null),
    chat([{ content: "Hi" }, { content: "" }], null),
    "",
    "data: [DONE]\n\n",
  ])
    expect(faultOf(body).code).toBe("stream-interrupted");
});

test("a server of which [DONE] is known to be its end needs no reason", async () => {
  const answer = await answerOf(chat([{ content: "Hi" }], null), { quirks: { doneEnds: true } });
  expect(answer).toMatchObject({ text: "Hi", finishReason: { unified: "other", raw: undefined } });
});

test.each([
  ["eos_token", "stop"],
  ["model_length", "length"],
  ["content_filter", "content-filter"],
  ["constructor", "other"],
  ["abort", "other"],
])("the reason %s is %s, and its own word is kept", async (raw, unified) => {
  expect((await answerOf(chat([{ content: "x" }], raw))).finishReason).toEqual({ unified, raw });
});

test("text that looks like the frame around it stays text", async () => {
  const texts = ["a", 'quote " and \\', "b", "[DONE]", "", "\u0000\n", '"}}]}', "ü😀", "c", " "];
  expect((await answerOf(chat(texts.map((content) => ({ content }))))).text).toBe(texts.join(""));
});

test("chunks that are alike in part only are not taken for another", async () => {
  const chunk = (rest: object, content: string): object => ({
    ...rest,
    choices: [{ index: 0, delta: { content } }],
  });
  const body = lines([
    chunk({ id: "1" }, "a"),
    chunk({ id: "1" }, "b"),
    chunk({ id: "2" }, "c"),
    { id: "2", choices: [{ index: 0, delta: { content: "d", reasoning_content: "why" } }] },
    { id: "2", choices: [{ index: 0, delta: { content: "e" }, finish_reason: "length" }] },
  ]);
  expect(await answerOf(body)).toMatchObject({
    text: "abcde",
    reasoning: "why",
    finishReason: { raw: "length" },
  });
});

test("tens of thousands of random texts come out as they went in", async () => {
  const alphabet = [
    "a",
    " ",
    "word",
    '"',
    "\\",
    "\n",
    "é",
    "😀",
    "}",
    "{",
    ":",
    "\u2028",
    "content",
    "\u0007",
    "null",
  ];
  let seed = 20_261_121;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const pick = (): string => alphabet[Math.floor(random() * alphabet.length)] ?? "";
  const texts = Array.from({ length: 20_000 }, () => pick() + pick() + pick());
  const body = lines(
    texts.map((content, at) => ({
      created: Math.floor(at / 1_000),
      choices: [{ index: 0, delta: { content } }],
    })),
  );
  const answer = await answerOf(`${body}data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n`);
  expect(answer.text).toBe(texts.join(""));
});

test("thoughts come in either field, or as parts of the content", async () => {
  for (const delta of [
    { reasoning_content: "hm" },
    { reasoning: "hm" },
    { reasoning: "hm", reasoning_content: "hm" },
    { content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }] },
  ]) {
    const answer = await answerOf(chat([delta, { content: "So." }]));
    expect(answer).toMatchObject({ reasoning: "hm", text: "So." });
  }
});

test("where answers have no tags, one at their beginning is text", async () => {
  const text = "<think>is a tag</think>";
  expect(
    await answerOf(chat(Array.from(text, (content) => ({ content }))), { quirks: { thinkTags: false } }),
  ).toMatchObject({
    text,
    reasoning: "",
  });
});

test("where answers begin with tags they are told apart, cut anywhere, and only at the beginning", async () => {
  const text = " \n<think>one < two</thin</think>\n\nUse <think> and </think> so.";
  for (const size of [1, 2, 3, 100]) {
    const deltas = (text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? []).map((content) => ({ content }));
    const answer = await answerOf(chat(deltas), { quirks: { thinkTags: true } });
    expect(answer).toMatchObject({ reasoning: "one < two</thin", text: "Use <think> and </think> so." });
  }
});

test("an answer that only begins like a tag loses nothing", async () => {
  for (const text of ["<thi", "<thing>", "  ", "no <think> here"])
    expect((await answerOf(chat([{ content: text }]), { quirks: { thinkTags: true } })).text).toBe(text);
});

test("where the prompt opens the tag, the answer begins inside it", async () => {
  for (const opening of ["", "<think>"]) {
    const deltas = Array.from(`${opening}hm</think>So.`, (content) => ({ content }));
    const answer = await answerOf(chat(deltas), { quirks: { thinkTags: "opened" } });
    expect(answer).toMatchObject({ reasoning: "hm", text: "So." });
  }
});

test("fragments of several calls come in turns", async () => {
  const body = chat(
    [
      call(0, { id: "a", name: "one", text: "" }),
      call(1, { id: "b", name: "two", text: '{"x":' }),
      call(0, { text: '{"y"' }),
      call(1, { text: "1}" }),
      call(0, { text: ":2}" }),
    ],
    "tool_calls",
  );
  const { toolCalls } = await answerOf(body);
  expect(toolCalls.map(({ id, name, input }) => [id, name, input])).toEqual([
    ["a", "one", { y: 2 }],
    ["b", "two", { x: 1 }],
  ]);
});

test("a prefix that could be parsed does not end a call", async () => {
  const pieces = ["1", "2", "3"].map((text) => call(0, { text }));
  const { toolCalls } = await answerOf(
    chat([call(0, { id: "a", name: "n", text: "" }), ...pieces], "tool_calls"),
  );
  expect(toolCalls).toMatchObject([{ inputText: "123", input: 123 }]);
});

test("ids that are missing, empty or given twice become unique", async () => {
  const body = chat(
    [
      {
        tool_calls: [
          { index: 0, id: null, function: { name: "a", arguments: "{}" } },
          { index: 1, id: "", function: { name: "b", arguments: "{}" } },
          { index: 2, id: "x", function: { name: "c", arguments: "{}" } },
          { index: 3, id: "x", function: { name: "d", arguments: "{}" } },
        ],
      },
    ],
    "tool_calls",
  );
  const { toolCalls } = await answerOf(body);
  expect(toolCalls.map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
  expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(4);
  expect(toolCalls.every(({ id }) => id !== "")).toBe(true);
});

test("whole calls that all have the number 0, or none, are several calls", async () => {
  for (const index of [0, undefined]) {
    for (const ids of [
      ["a", "b"],
      [undefined, undefined],
    ]) {
      const whole = ids.map((id, at) =>
        call(index, { ...(id !== undefined && { id }), name: `t${at}`, text: `{"n":${at}}` }),
      );
      const { toolCalls } = await answerOf(chat(whole, "tool_calls"));
      expect(toolCalls.map(({ name, input }) => [name, input])).toEqual([
        ["t0", { n: 0 }],
        ["t1", { n: 1 }],
      ]);
    }
  }
});

test("no arguments are {}, broken ones are told, an object is taken", async () => {
  const { toolCalls, finishReason } = await answerOf(
    chat([
      call(0, { id: "a", name: "none", text: "" }),
      call(1, { id: "b", name: "bad", text: '{"x":' }),
      call(2, { id: "c", name: "object", text: { x: 1 } }),
    ]),
  );
  expect(toolCalls).toMatchObject([{ input: {} }, { inputText: '{"x":' }, { input: { x: 1 } }]);
  expect(toolCalls[1]?.inputError).toMatch(/JSON/);
  expect(toolCalls[1]).not.toHaveProperty("input");
  // The server said "stop".
  expect(finishReason).toEqual({ unified: "tool-calls", raw: "stop" });
});

test("a call cut by the output limit says so", async () => {
  const body = chat([call(0, { id: "a", name: "cut", text: '{"x":' })], "length");
  const { toolCalls, finishReason } = await answerOf(body);
  expect(toolCalls[0]?.inputError).toMatch(/output limit/);
  expect(finishReason.unified).toBe("length");
});

test("text before and after a call keeps its place, and every block is closed", () => {
  const body = chat([
    { content: "Let me see." },
    call(0, { id: "a", name: "t", text: "{}" }),
    { content: "Done." },
  ]);
  expect(eventsOf(body).map(({ type }) => type)).toEqual([
    "start",
    "text-start",
    "text-delta",
    "text-end",
    "tool-input-start",
    "tool-input-delta",
    "tool-input-end",
    "tool-call",
    "text-start",
    "text-delta",
    "text-end",
    "finish",
  ]);
});

test.each([
  [{ error: { message: "boom", type: "server_error" } }, "provider-internal"],
  [{ error: "boom" }, "provider-internal"],
  [{ object: "error", message: "boom", code: 503 }, "unavailable"],
  [{ error: { message: "boom", code: 429 } }, "rate-limited"],
  [{ error: { message: "boom", code: "context_length_exceeded" } }, "context-overflow"],
  [{ choices: [{ delta: {}, error: { message: "boom" }, finish_reason: "error" }] }, "provider-internal"],
])("an error inside the stream is %o", (piece, code) => {
  const body = `${lines([{ choices: [{ delta: { content: "Half" } }] }, piece])}data: [DONE]\n\n`;
  expect(brokenOff(body)).toMatchObject({ fault: { code, message: "boom" }, text: "Half" });
});

test("an error named by its event only is one", () => {
  expect(faultOf('event: error\ndata: {"message":"boom"}\n\n')).toMatchObject({ message: "boom" });
});

test("what is no JSON is an invalid response, with what had come", () => {
  const body = `${lines([{ choices: [{ delta: { content: "Half" } }] }])}data: <html>\n\n`;
  expect(brokenOff(body)).toMatchObject({ fault: { code: "invalid-response" }, text: "Half" });
});

test("usage that came before an interruption is kept", () => {
  const told = { choices: [{ delta: { content: "x" } }], usage: { prompt_tokens: 9, completion_tokens: 1 } };
  expect(brokenOff(lines([told])).usage).toEqual({ inputTokens: 9, outputTokens: 1 });
});

test("an answer in one piece is read like a stream", async () => {
  const piece = { choices: [{ message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }] };
  expect((await answerOf(lines([piece]))).text).toBe("Hi");
});

test("raw pieces come only when asked for", () => {
  const body = chat([{ content: "a" }, { content: "b" }]);
  expect(eventsOf(body).filter(({ type }) => type === "raw")).toEqual([]);
  expect(eventsOf(body, { request: { includeRaw: true } }).filter(({ type }) => type === "raw")).toHaveLength(
    3,
  );
});

test("a refusal is withheld content", async () => {
  const body = chat([{ refusal: "I cannot." }]);
  expect(await answerOf(body)).toMatchObject({
    text: "I cannot.",
    finishReason: { unified: "content-filter" },
  });
});

test("the answer is read wherever it stands among others, however it is numbered", async () => {
  const one = (index: unknown, content: string): object => ({ index, delta: { content } });
  const last = { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };
  const among = lines([{ choices: [one(1, "B"), one(0, "A")] }, { choices: [null, one(0, "a")] }, last]);
  expect((await answerOf(among)).text).toBe("Aa");
  expect((await answerOf(lines([{ choices: [one("0", "A")] }, last]))).text).toBe("A");
});

test("text in a form that is not known is refused, not left out", async () => {
  for (const content of [5, true, { text: "a" }])
    expect(faultOf(chat([{ content: "so far" }, { content }]))).toMatchObject({ code: "invalid-response" });
  expect((await answerOf(chat([{ content: ["a", { type: "text", text: "b" }, null] }]))).text).toBe("ab");
});

test("a single call that is in no list is read, and a reason that names calls where none came is another", async () => {
  const whole = { index: 0, id: "1", function: { name: "f", arguments: "{}" } };
  const answer = await answerOf(chat([{ tool_calls: whole }], "tool_calls"));
  expect(answer.toolCalls).toMatchObject([{ id: "1", name: "f" }]);
  const none = await answerOf(chat([{ content: "a" }], "tool_calls"));
  expect(none.finishReason).toEqual({ unified: "other", raw: "tool_calls" });
});

test("a second call of another name is no part of the first, and a name that changes within one is refused", async () => {
  const part = (name: string, text: string, id?: string): object => ({
    tool_calls: [{ index: 0, id, function: { name, arguments: text } }],
  });
  const two = await answerOf(chat([part("f", ""), part("g", '{"a":1}')], "tool_calls"));
  expect(two.toolCalls.map(({ name, inputText }) => [name, inputText])).toEqual([
    ["f", ""],
    ["g", '{"a":1}'],
  ]);
  for (const body of [
    chat([part("get_", "", "1"), part("weather", "{}", "1")], "tool_calls"),
    chat([part("f", '{"a"'), part("g", ":1}")], "tool_calls"),
  ])
    expect(faultOf(body)).toMatchObject({ code: "invalid-response", hint: expect.any(String) });
});

test("counts below zero are not known", async () => {
  const told = { choices: [], usage: { prompt_tokens: -3, completion_tokens: 2 } };
  expect((await answerOf(chat([{ content: "a" }], "stop", [told]))).usage).toEqual({
    inputTokens: undefined,
    outputTokens: 2,
  });
});

test("a prompt of no tokens is one that the server did not count", async () => {
  const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  const zeros = chat([{ content: "a" }], "stop", [{ choices: [], usage }]);
  expect((await answerOf(zeros)).usage).toEqual({ inputTokens: undefined, outputTokens: undefined });
  const half = chat([{ content: "a" }], "stop", [{ choices: [], usage: { ...usage, completion_tokens: 7 } }]);
  expect((await answerOf(half)).usage).toEqual({ inputTokens: undefined, outputTokens: 7 });
  // One that was told before stays what it was.
  const told = { choices: [], usage: { prompt_tokens: 9, completion_tokens: 1 } };
  const both = chat([{ content: "a" }], "stop", [told, { choices: [], usage }]);
  expect((await answerOf(both)).usage).toEqual({ inputTokens: 9, outputTokens: 1 });
  const nothing = lines([{ choices: [{ index: 0, delta: { content: "a" } }], usage }]);
  expect(brokenOff(nothing).usage).toBeUndefined();
});
