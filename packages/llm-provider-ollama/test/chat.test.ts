import { type ChatEvent, type ChatRequest, generate, type LlmError } from "@enginehouse/llm-core";
import { describe, expect, test } from "vitest";

import { end, linesOf, pause, piece, replay, say, setUp } from "./ollama-server.ts";

const ask = (more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: "reference-model",
  messages: [{ role: "user", content: "What are you?" }],
  ...more,
});

const tools = [
  { name: "get_time", inputSchema: { type: "object", properties: { timezone: { type: "string" } } } },
];

async function eventsOf(stream: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

const faultOf = (promise: Promise<unknown>): Promise<LlmError> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error as LlmError,
  );

const contentOf = (name: string, field: "content" | "thinking" = "content"): string =>
  linesOf(name)
    .map((line) => (JSON.parse(line) as { message?: Record<string, string> }).message?.[field] ?? "")
    .join("");

test("no chat is lost where a server closes a connection after a stream that it promised to keep", async () => {
  await using given = await setUp({
    "POST /api/chat": (_, response) => {
      response.shouldKeepAlive = true;
      const { socket } = response;
      say(response, [piece("hi"), end()]);
      setTimeout(() => socket?.destroy(), 1);
    },
  });
  for (let count = 0; count < 60; count += 1) {
    expect((await generate(given.ollama, ask())).text).toBe("hi");
    await pause(count % 4);
  }
});

test("a model may be called like anything that an object has", async () => {
  await using given = await setUp({ "POST /api/chat": (_, response) => say(response, [piece("hi"), end()]) });
  for (const model of ["__proto__", "constructor", "toString"]) await generate(given.ollama, ask({ model }));
  for (const { body } of given.server.of("/api/chat")) expect(body).not.toHaveProperty("options");
});

describe("an answer as real servers stream it", () => {
  test.each([
    ["chat-stream", "stop"],
    ["ollama-0.13/chat-stream", "stop"],
    ["chat-unicode", "stop"],
    ["ollama-0.13/chat-unicode", "stop"],
    ["chat-length", "length"],
    ["ollama-0.13/chat-length", "length"],
    ["chat-stop-string", "stop"],
    ["chat-long", "length"],
    ["chat-fills-window-noshift", "length"],
    ["ollama-0.13/chat-fills-window-noshift", "length"],
    ["chat-logprobs", "length"],
  ] as const)("%s is read to its end", async (name, reason) => {
    await using given = await setUp({ "POST /api/chat": name });
    const answer = await generate(given.ollama, ask());
    const last = JSON.parse(linesOf(name).at(-1) ?? "") as Record<string, number>;
    expect(answer.text).toBe(contentOf(name));
    expect(answer.text).not.toBe("");
    expect(answer.finishReason).toEqual({ unified: reason, raw: reason });
    expect(answer.usage).toMatchObject({
      inputTokens: last["prompt_eval_count"],
      outputTokens: last["eval_count"],
    });
    expect(answer.timings?.generationMs).toBe((last["eval_duration"] ?? 0) / 1e6);
  });

  test("thoughts are apart from the text, each in a block of its own", async () => {
    await using given = await setUp({ "POST /api/chat": "chat-think" });
    const events = await eventsOf(given.ollama.stream(ask({ reasoning: "high" })));
    const types = [...new Set(events.map(({ type }) => type))];
    expect(types).toEqual([
      "start",
      "reasoning-start",
      "reasoning-delta",
      "reasoning-end",
      "text-start",
      "text-delta",
      "text-end",
      "finish",
    ]);
    const answer = await generate(given.ollama, ask({ reasoning: "high" }));
    expect(answer.reasoning).toBe(contentOf("chat-think", "thinking"));
    expect(answer.text).toBe(contentOf("chat-think"));
  });

  test("the wire's own lines come when they are asked for, and only then", async () => {
    await using given = await setUp({ "POST /api/chat": "chat-stream" });
    const raw = await eventsOf(given.ollama.stream(ask({ includeRaw: true })));
    expect(raw.filter(({ type }) => type === "raw")).toHaveLength(linesOf("chat-stream").length);
    const plain = await eventsOf(given.ollama.stream(ask()));
    expect(plain.some(({ type }) => type === "raw")).toBe(false);
  });

  test("what an old server leaves out is not known, and not 0", async () => {
    await using given = await setUp({
      "POST /api/chat": (_, response) => say(response, [piece("hi"), { done: true, done_reason: "stop" }]),
    });
    const { usage, context } = await generate(given.ollama, ask());
    expect(usage).toMatchObject({ inputTokens: undefined, outputTokens: undefined });
    expect(context.promptTokens).toBeUndefined();
  });

  test("a reason of a later server is passed on", async () => {
    await using given = await setUp({
      "POST /api/chat": (_, response) => say(response, [piece("hi"), end({ done_reason: "novel" })]),
    });
    expect((await generate(given.ollama, ask())).finishReason).toEqual({ unified: "other", raw: "novel" });
  });
});

describe("tool calls", () => {
  test.each([
    ["chat-tool-calls", 2],
    ["chat-tool-calls-rendered", 2],
    ["ollama-0.13/chat-tool-calls", 2],
    ["chat-tool-call", 1],
    ["ollama-0.13/chat-tool-call", 1],
  ])("%s: %i whole calls, and the reason says so although Ollama says stop", async (name, count) => {
    await using given = await setUp({ "POST /api/chat": name });
    const { toolCalls, finishReason } = await generate(given.ollama, ask({ tools }));
    expect(toolCalls).toHaveLength(count);
    expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(count);
    for (const call of toolCalls) expect(call.input).toEqual(JSON.parse(call.inputText));
    expect(finishReason).toEqual({ unified: "tool-calls", raw: "stop" });
  });

  test("ids are unique also where the server gives none, or one twice", async () => {
    const call = (id?: unknown): unknown => ({ id, function: { name: "get_time", arguments: {} } });
    const line = {
      message: { tool_calls: [call("a"), call("a"), call(), call(""), call(null)] },
      done: false,
    };
    await using given = await setUp({ "POST /api/chat": (_, response) => say(response, [line, end()]) });
    const { toolCalls } = await generate(given.ollama, ask({ tools }));
    expect(toolCalls[0]?.id).toBe("a");
    expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(5);
  });

  test("arguments that are a text are read; one that is no JSON is kept and called so", async () => {
    const call = (given: unknown): unknown => ({ function: { name: "get_time", arguments: given } });
    const line = { message: { tool_calls: [call('{"a":1}'), call('{"a":'), call(undefined)] }, done: false };
    await using given = await setUp({ "POST /api/chat": (_, response) => say(response, [line, end()]) });
    const { toolCalls } = await generate(given.ollama, ask({ tools }));
    expect(toolCalls[0]).toMatchObject({ inputText: '{"a":1}', input: { a: 1 } });
    expect(toolCalls[1]).toMatchObject({ inputText: '{"a":', inputError: expect.any(String) });
    expect(toolCalls[2]).toMatchObject({ inputText: "", input: {} });
  });

  test("a call that the output limit cut is a fault that says what to raise", async () => {
    await using given = await setUp({ "POST /api/chat": "chat-tool-call-cut" });
    const fault = await faultOf(generate(given.ollama, ask({ tools, maxTokens: 8 })));
    expect(fault).toMatchObject({ code: "output-invalid", hint: expect.stringContaining("maxTokens") });
  });

  test("a call cannot be forced, and that is said", async () => {
    await using given = await setUp({ "POST /api/chat": "chat-tool-call" });
    const forced = ask({ tools, toolChoice: "required" });
    expect(await faultOf(generate(given.ollama, forced))).toMatchObject({ code: "unsupported" });
    const { warnings } = await generate(given.ollama, { ...forced, unsupported: "warn" });
    expect(warnings).toMatchObject([{ code: "unsupported", option: "toolChoice" }]);
  });

  test("a model without tools refuses them; with the policy warn the answer comes without", async () => {
    await using given = await setUp({
      "POST /api/chat": ["chat-tools-plain", "chat-tools-plain", "chat-stream"],
    });
    expect(await faultOf(generate(given.ollama, ask({ tools })))).toMatchObject({
      code: "unsupported",
      status: 400,
    });
    const answer = await generate(given.ollama, ask({ tools, unsupported: "warn" }));
    expect(answer.text).toBe(contentOf("chat-stream"));
    expect(answer.warnings).toMatchObject([{ code: "unsupported", option: "tools" }]);
    expect(given.server.of("/api/chat").at(-1)?.body).not.toHaveProperty("tools");
  });
});

describe("thinking", () => {
  test.each([
    ["none", false],
    ["low", "low"],
    ["medium", "medium"],
    ["high", "high"],
    [undefined, undefined],
  ] as const)("%s is sent as %s", async (reasoning, think) => {
    await using given = await setUp({ "POST /api/chat": "chat-think" });
    await generate(given.ollama, ask({ reasoning }));
    expect(given.server.of("/api/chat")[0]?.body.think).toBe(think);
  });

  test("a server that knows no levels is found out by its refusal: the model thinks, and the level is said to be left", async () => {
    await using given = await setUp({
      "POST /api/chat": ["ollama-0.13/chat-think-level", "ollama-0.13/chat-think"],
    });
    const answer = await generate(given.ollama, ask({ reasoning: "low" }));
    expect(answer.reasoning).not.toBe("");
    expect(answer.warnings).toMatchObject([{ code: "adjusted", option: "reasoning" }]);
    expect(given.server.of("/api/chat").map(({ body }) => body.think)).toEqual(["low", true]);
  });

  test("a server from before levels is found out alike", async () => {
    const error = "json: cannot unmarshal string into Go struct field ChatRequest.think of type bool";
    await using given = await setUp({
      "GET /api/version": (_, response) => say(response, [{ version: "0.9.6" }]),
      "POST /api/chat": (_, response, count) =>
        count === 0 ? say(response, [{ error }], 400) : replay("chat-think", response),
    });
    const answer = await generate(given.ollama, ask({ reasoning: "low" }));
    expect(answer.reasoning).not.toBe("");
    expect(answer.warnings).toMatchObject([{ code: "adjusted", option: "reasoning" }]);
    expect(given.server.of("/api/chat").map(({ body }) => body.think)).toEqual(["low", true]);
  });

  test("a model that cannot think refuses; with the policy warn it answers without", async () => {
    await using given = await setUp({
      "POST /api/chat": ["chat-think-unsupported", "chat-think-unsupported", "chat-stream"],
    });
    expect(await faultOf(generate(given.ollama, ask({ reasoning: "high" })))).toMatchObject({
      code: "unsupported",
    });
    const { warnings } = await generate(given.ollama, ask({ reasoning: "high", unsupported: "warn" }));
    expect(warnings).toMatchObject([{ code: "unsupported", option: "reasoning" }]);
  });

  test("a server from before thinking would pass the wish over in silence: it is not asked", async () => {
    await using given = await setUp({
      "GET /api/version": (_, response) => say(response, [{ version: "0.5.7" }]),
      "POST /api/chat": "chat-stream",
    });
    expect(await faultOf(generate(given.ollama, ask({ reasoning: "low" })))).toMatchObject({
      code: "unsupported",
    });
    expect(given.server.of("/api/chat")).toHaveLength(0);
    const none = await generate(given.ollama, ask({ reasoning: "none" }));
    expect(none.warnings).toMatchObject([{ option: "reasoning" }]);
    const own = ask({ providerOptions: { ollama: { think: "max" } } });
    expect(await faultOf(generate(given.ollama, own))).toMatchObject({ code: "unsupported" });
  });
});

describe("thoughts between tags, as servers from before thinking leave them", () => {
  const lines = (text: string, size: number): unknown[] =>
    (text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? []).map((part) => piece(part));

  test.each([1, 2, 3, 7, 100])("are told apart in pieces of %i characters", async (size) => {
    const text = "\n<think>\nBlue </thin is one.</think>\n\nBlue, </think> and <think>.";
    await using given = await setUp({
      "POST /api/chat": (_, response) => say(response, [...lines(text, size), end()]),
    });
    const answer = await generate(given.ollama, ask());
    expect(answer.reasoning).toBe("\nBlue </thin is one.");
    expect(answer.text).toBe("Blue, </think> and <think>.");
  });

  test.each(["Write <think> first.", "<thin", "<", "<thinking>hard</thinking>", "  leading blanks"])(
    "%j is an answer, and all of it",
    async (text) => {
      await using given = await setUp({
        "POST /api/chat": (_, response) => say(response, [...lines(text, 2), end()]),
      });
      const answer = await generate(given.ollama, ask());
      expect([answer.text, answer.reasoning]).toEqual([text, ""]);
    },
  );
});

describe("images", () => {
  const withImage = ask({
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "file", mediaType: "image/png", data: Uint8Array.of(137, 80, 78, 71) },
        ],
      },
    ],
  });

  test("travel as base64 to a model that sees", async () => {
    await using given = await setUp({
      "POST /api/show": (_, response) => say(response, [{ capabilities: ["completion", "vision"] }]),
      "POST /api/chat": "chat-stream",
    });
    await generate(given.ollama, withImage);
    expect(given.server.of("/api/chat")[0]?.body.messages[0]).toEqual({
      role: "user",
      content: "What is this?",
      images: ["iVBORw=="],
    });
  });

  test("are refused for a model that is blind, which would pass them over", async () => {
    await using given = await setUp({ "POST /api/chat": "chat-stream" });
    expect(await faultOf(generate(given.ollama, withImage))).toMatchObject({ code: "unsupported" });
    const { warnings } = await generate(given.ollama, { ...withImage, unsupported: "warn" });
    expect(warnings).toMatchObject([{ code: "unsupported", option: "messages" }]);
    expect(given.server.of("/api/chat")[0]?.body.messages[0]).not.toHaveProperty("images");
  });
});

describe("an assistant's message that comes last is gone on with", () => {
  const messages: ChatRequest["messages"] = [
    { role: "user", content: "What is the time?" },
    { role: "assistant", content: "It is " },
  ];
  const shown = (template: string) => ({ details: {}, capabilities: ["completion"], template });

  test.each([
    ["engine's own, which repeats it", "{% for message in messages %}", ["It", " is la", "te."], "late."],
    ["engine's own, and not at all", "{% for message in messages %}", ["It", " was late."], "It was late."],
    ["server's own, which does not", "{{ range .Messages }}", ["It is ", "It is."], "It is It is."],
  ])("by a template of the %s: the answer is what the model adds", async (_, template, pieces, text) => {
    await using given = await setUp({
      "POST /api/show": (_asked, response) => say(response, [shown(template)]),
      "POST /api/chat": (_asked, response) => say(response, [...pieces.map(piece), end()]),
    });
    expect((await generate(given.ollama, ask({ messages }))).text).toBe(text);
  });

  test("what is asked before the answer counts for the whole call's time", async () => {
    await using given = await setUp({
      "POST /api/show": (_asked, response) => setTimeout(() => say(response, [shown("{% x %}")]), 500),
      "POST /api/chat": (_asked, response) =>
        void response.writeHead(200).write(`${JSON.stringify(piece("It"))}\n`),
    });
    const began = performance.now();
    const fault = await faultOf(generate(given.ollama, ask({ messages }), { timeouts: { total: 1_000 } }));
    expect(fault).toMatchObject({ code: "timeout", message: expect.stringContaining("1 s") });
    expect(performance.now() - began).toBeLessThan(1_400);

    const hasty = await faultOf(generate(given.ollama, ask({ messages }), { timeouts: { total: 200 } }));
    expect(hasty).toMatchObject({ code: "timeout", message: expect.stringContaining("200 ms") });
    expect(given.server.of("/api/chat")).toHaveLength(1);
  });

  test("and nothing is asked about any other", async () => {
    await using given = await setUp({ "POST /api/chat": "chat-stream", "GET /api/ps": "ps-empty" });
    await generate(given.ollama, ask());
    expect(given.server.of("/api/show")).toEqual([]);
  });
});

describe("images in front of a server from before capabilities", () => {
  const image = { type: "file", mediaType: "image/png", data: Uint8Array.of(1) } as const;
  const seen = ask({ messages: [{ role: "user", content: [image] }] });
  const model_info = { "general.architecture": "llama" };
  const blind = { details: {}, model_info };

  test("are refused for a model without a projector", async () => {
    await using given = await setUp({ "POST /api/show": (_, response) => say(response, [blind]) });
    expect(await faultOf(generate(given.ollama, seen))).toMatchObject({ code: "unsupported" });
    expect(given.server.of("/api/chat")).toEqual([]);
  });

  test.each([
    ["to one that has it", { ...blind, projector_info: { "clip.has_vision_encoder": true } }],
    ["where the server tells nothing of the model", { details: {} }],
  ])("travel %s", async (_, shown) => {
    await using given = await setUp({
      "POST /api/show": (_asked, response) => say(response, [shown]),
      "POST /api/chat": "chat-stream",
    });
    await generate(given.ollama, seen);
    expect(given.server.of("/api/chat")[0]?.body.messages[0].images).toEqual(["AQ=="]);
  });
});

describe("output by a schema", () => {
  const schema = {
    type: "object",
    properties: { quantity: { type: "integer" }, country: { type: "string" } },
    required: ["quantity", "country"],
  };
  const wish = ask({ responseFormat: { type: "json", schema } });

  test.each(["chat-schema", "ollama-0.13/chat-schema", "chat-schema-think", "chat-schema-think-rendered"])(
    "%s: the schema is sent and the output fits it",
    async (name) => {
      await using given = await setUp({ "POST /api/chat": name });
      const { output } = await generate(given.ollama, wish);
      expect(output).toMatchObject({ country: expect.any(String), quantity: expect.any(Number) });
      expect(given.server.of("/api/chat")[0]?.body.format).toEqual(schema);
    },
  );

  test("without a schema it is any JSON", async () => {
    await using given = await setUp({ "POST /api/chat": "chat-json" });
    await generate(given.ollama, ask({ responseFormat: { type: "json" } }));
    expect(given.server.of("/api/chat")[0]?.body.format).toBe("json");
  });

  test("output that breaks the schema is a fault that says where, with the text", async () => {
    const text = '{"quantity":"many","country":"Paris"}';
    await using given = await setUp({
      "POST /api/chat": (_, response) => say(response, [piece(text), end()]),
    });
    const fault = await faultOf(generate(given.ollama, wish));
    expect(fault).toMatchObject({ code: "output-invalid", partial: { text } });
    expect(fault.message).toContain("/quantity");
  });

  test("a keyword that the engine's grammar passes over is refused by its place, or left to the check", async () => {
    const unique = { type: "array", items: { type: "integer" }, uniqueItems: true };
    await using given = await setUp({
      "POST /api/chat": (_, response) => say(response, [piece("[1,1]"), end()]),
    });
    const own = ask({ responseFormat: { type: "json", schema: unique } });
    const refused = await faultOf(generate(given.ollama, own));
    expect(refused.code).toBe("unsupported");
    expect(refused.message).toContain('"uniqueItems" at /');
    expect(await faultOf(generate(given.ollama, { ...own, unsupported: "warn" }))).toMatchObject({
      code: "output-invalid",
    });
  });

  test.each(["chat-schema-wrong", "ollama-0.13/chat-schema-wrong", "chat-format-wrong"])(
    "%s: a schema that the server cannot read is the request's fault",
    async (name) => {
      await using given = await setUp({ "POST /api/chat": name });
      expect(await faultOf(generate(given.ollama, wish))).toMatchObject({
        code: "invalid-request",
        retryable: false,
      });
    },
  );
});

describe("the window", () => {
  test("every chat asks the server to refuse what does not fit, and never to shift", async () => {
    await using given = await setUp({ "POST /api/chat": "chat-stream" }, { contextWindow: 2_048 });
    await generate(given.ollama, ask());
    const { body } = given.server.of("/api/chat")[0] ?? {};
    expect(body).toMatchObject({ truncate: false, shift: false, stream: true, options: { num_ctx: 2_048 } });
  });

  test.each(["chat-overflow-error", "chat-overflow-error-rendered", "chat-overflow-error-noshift"])(
    "%s: a prompt that does not fit is a fault with its figures",
    async (name) => {
      await using given = await setUp({ "POST /api/chat": name });
      expect(await faultOf(generate(given.ollama, ask()))).toMatchObject({
        code: "context-overflow",
        status: 400,
        figures: { promptTokens: expect.any(Number), window: 256 },
      });
    },
  );

  test("the other wording has no figures: the window is asked for", async () => {
    await using given = await setUp({
      "POST /api/chat": "ollama-0.13/chat-overflow-error",
      "GET /api/version": "ollama-0.13/version",
      "GET /api/ps": "ollama-0.13/ps-loaded",
    });
    const fault = await faultOf(generate(given.ollama, ask({ model: "reference-model-template" })));
    expect(fault).toMatchObject({ code: "context-overflow", figures: { window: 2_048 } });
  });

  test("with drop-oldest the oldest turns go, and the answer says so", async () => {
    await using given = await setUp({ "POST /api/chat": ["chat-overflow-error", "chat-stream"] });
    const messages: ChatRequest["messages"] = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "long ".repeat(3_000) },
      { role: "assistant", content: "yes" },
      { role: "user", content: "What are you?" },
    ];
    const { warnings } = await generate(given.ollama, ask({ messages, overflow: "drop-oldest" }));
    expect(warnings).toMatchObject([{ code: "dropped" }]);
    expect(given.server.of("/api/chat")[1]?.body.messages).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "What are you?" },
    ]);
  });

  test("a server that heeds truncate cuts nothing; the window in force is told", async () => {
    await using given = await setUp({
      "GET /api/version": (_, response) => say(response, [{ version: "0.13.5" }]),
      "POST /api/chat": "chat-stream",
    });
    const { context } = await generate(given.ollama, ask());
    expect(context).toMatchObject({ truncated: "no", window: 2_048, promptTokens: 23 });
  });

  test.each([
    ["a count that fills the window was cut", 2_048, "yes"],
    ["a count that is half of the window was cut", 1_026, "yes"],
    ["any other count proves nothing", 700, "unknown"],
  ])("on an old server %s", async (_, prompt_eval_count, truncated) => {
    await using given = await setUp({
      "GET /api/version": (_asked, response) => say(response, [{ version: "0.5.7" }]),
      "POST /api/chat": (_asked, response) => say(response, [piece("hi"), end({ prompt_eval_count })]),
    });
    expect((await generate(given.ollama, ask())).context.truncated).toBe(truncated);
  });

  test("a build that does not tell its version is believed once it has refused", async () => {
    await using given = await setUp({
      "POST /api/chat": ["chat-stream", "chat-overflow-error", "chat-stream"],
    });
    expect((await generate(given.ollama, ask())).context.truncated).toBe("unknown");
    await faultOf(generate(given.ollama, ask()));
    expect((await generate(given.ollama, ask())).context.truncated).toBe("no");
  });

  test("what goes with one answer is asked once", async () => {
    await using given = await setUp({ "POST /api/chat": "chat-stream" });
    for (let count = 0; count < 3; count += 1) await generate(given.ollama, ask());
    expect(given.server.of("/api/ps")).toHaveLength(1);
    expect(given.server.of("/api/version")).toHaveLength(1);
  });
});

test("a model is the same with and without the tag that is meant where none is said", async () => {
  await using given = await setUp(
    {
      "POST /api/chat": ({ body }, response) =>
        say(response, body.messages.length === 0 ? [end()] : [piece("hi"), end()]),
    },
    { contextWindows: { "reference-model": 512 }, prefixes: { "reference-model": { query: "q: " } } },
  );
  for (const model of ["reference-model", "reference-model:latest"])
    await generate(given.ollama, ask({ model }));
  expect(given.server.of("/api/chat").map(({ body }) => body.options?.num_ctx)).toEqual([512, 512]);
  expect(given.server.of("/api/ps")).toHaveLength(1);
  await given.ollama.unloadModel("reference-model:latest");
  await generate(given.ollama, ask());
  // Once for the unload, and once more for what may have changed with it.
  expect(given.server.of("/api/ps")).toHaveLength(3);
});

test("calls that begin together share what is asked beside them", async () => {
  await using given = await setUp({ "POST /api/chat": "chat-stream" });
  const answers = await Promise.all(Array.from({ length: 8 }, () => generate(given.ollama, ask())));
  expect(answers.map(({ context }) => context.window)).toEqual(Array.from({ length: 8 }, () => 2_048));
  expect(given.server.of("/api/ps")).toHaveLength(1);
  expect(given.server.of("/api/version")).toHaveLength(1);
});
