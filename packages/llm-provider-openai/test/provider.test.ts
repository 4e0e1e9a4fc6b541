import { type ChatRequest, generate, type JsonObject } from "@enginehouse/llm-core";
import { expect, test } from "vitest";

import { createOpenai } from "../src/index.ts";
import { ENDING, piece, REQUEST, setUp, streamOf } from "./server.ts";

test("without a key, an address and a preset nothing is called, and what to set is said", async () => {
  const env = {
    OPENAI_API_KEY: process.env["OPENAI_API_KEY"],
    OPENAI_BASE_URL: process.env["OPENAI_BASE_URL"],
  };
  delete process.env["OPENAI_API_KEY"];
  delete process.env["OPENAI_BASE_URL"];
  try {
    const provider = createOpenai();
    const fault = { code: "invalid-settings", phase: "settings", hint: expect.stringContaining("baseUrl") };
    await expect(generate(provider, REQUEST)).rejects.toMatchObject(fault);
    await expect(provider.listModels()).rejects.toMatchObject(fault);
    expect(await provider.health()).toMatchObject({ status: "down", hint: fault.hint });
    await provider.close();
  } finally {
    for (const [name, value] of Object.entries(env)) if (value !== undefined) process.env[name] = value;
  }
});

test("a chat is streamed to /v1/chat/completions, with a key only where one is set", async () => {
  await using given = await setUp((response) => streamOf(response, piece("Hello") + ENDING));
  expect((await generate(given.provider, REQUEST)).text).toBe("Hello");
  expect(given.asked[0]).toMatchObject({ path: "/v1/chat/completions", body: { stream: true } });
  expect(given.asked[0]?.headers).not.toHaveProperty("authorization");

  const keyed = createOpenai({
    baseUrl: `${given.address}/v1/`,
    apiKey: "k-1",
    organization: "o-1",
    project: "p-1",
    headers: { "x-own": "1" },
  });
  await generate(keyed, REQUEST);
  expect(given.asked[1]).toMatchObject({
    path: "/v1/chat/completions",
    headers: {
      authorization: "Bearer k-1",
      "openai-organization": "o-1",
      "openai-project": "p-1",
      "x-own": "1",
    },
  });
  await keyed.close();
});

test("OpenAI's preset takes Responses, and Chat Completions where only they have a word for an option", async () => {
  const responses =
    'data: {"type":"response.output_text.delta","item_id":"m","delta":"Hi"}\n\ndata: {"type":"response.completed","response":{}}\n\n';
  await using given = await setUp(
    (response, { path }) =>
      streamOf(response, path.endsWith("/responses") ? responses : piece("Hi") + ENDING),
    { preset: "openai", apiKey: "k" },
  );
  await generate(given.provider, { ...REQUEST, maxTokens: 5 });
  await generate(given.provider, { ...REQUEST, seed: 1, maxTokens: 5 });
  expect(given.asked.map(({ path }) => path)).toEqual(["/v1/responses", "/v1/chat/completions"]);
  expect(given.asked[0]?.body).toMatchObject({ max_output_tokens: 5, store: false });
  expect(given.asked[1]?.body).toMatchObject({ seed: 1, max_completion_tokens: 5 });
});

test("a model without thoughts, which refuses to be asked for encrypted ones, is asked without, and only once more", async () => {
  const refusal = {
    error: {
      message: "Encrypted content is not supported with this model.",
      type: "invalid_request_error",
      param: "include",
    },
  };
  const answered =
    'data: {"type":"response.output_text.delta","item_id":"m","delta":"Hi"}\n\ndata: {"type":"response.completed","response":{}}\n\n';
  await using given = await setUp(
    (response, { body }) => {
      if (body.include === undefined) streamOf(response, answered);
      else response.writeHead(400).end(JSON.stringify(refusal));
    },
    { preset: "openai", apiKey: "k" },
  );
  for (let count = 0; count < 2; count += 1)
    expect(await generate(given.provider, REQUEST)).toMatchObject({ text: "Hi", warnings: [] });
  await generate(given.provider, { ...REQUEST, model: "other" });
  const asked = given.asked.map(({ body }) => [body.model, body.include !== undefined]);
  expect(asked).toEqual([
    ["m", true],
    ["m", false],
    ["m", false],
    ["other", true],
    ["other", false],
  ]);
  // What the caller asked for in so many words is not taken back.
  const include = ["reasoning.encrypted_content", "message.output_text.logprobs"];
  const own = { ...REQUEST, model: "third", providerOptions: { openai: { include } } };
  await expect(generate(given.provider, own)).rejects.toMatchObject({
    code: "unsupported",
    status: 400,
    message: refusal.error.message,
  });
});

test("a conversation goes on with a model without thoughts, and what is left out is told", async () => {
  const refusal = {
    error: {
      message: "Reasoning input items can only be provided to a reasoning or computer use model.",
      type: "invalid_request_error",
      param: "input",
    },
  };
  const answered =
    'data: {"type":"response.output_text.delta","item_id":"m","delta":"Hi"}\n\ndata: {"type":"response.completed","response":{}}\n\n';
  await using given = await setUp(
    (response, { body }) => {
      const thoughts = body.input.some(({ type }: { readonly type?: string }) => type === "reasoning");
      if (body.model === "o" || !thoughts) streamOf(response, answered);
      else response.writeHead(400).end(JSON.stringify(refusal));
    },
    { preset: "openai", apiKey: "k" },
  );
  const responsesItem = { type: "reasoning", id: "r1", encrypted_content: "xyz", summary: [] };
  const messages: ChatRequest["messages"] = [
    ...REQUEST.messages,
    {
      role: "assistant",
      content: [
        { type: "reasoning", text: "", providerData: { responsesItem } },
        { type: "text", text: "Hello." },
      ],
    },
    { role: "user", content: "And now?" },
  ];
  const warnings = [expect.objectContaining({ code: "dropped", option: "messages" })];
  for (let count = 0; count < 2; count += 1)
    expect(await generate(given.provider, { ...REQUEST, messages })).toMatchObject({ text: "Hi", warnings });
  expect(given.asked).toHaveLength(3);
  expect(given.asked.map(({ body }) => body.input.length)).toEqual([4, 3, 3]);
  const thinks = await generate(given.provider, { ...REQUEST, model: "o", messages });
  expect(thinks.warnings).toEqual([]);
  expect(given.asked.at(-1)?.body.input).toContainEqual(responsesItem);
});

test("a refusal whose words break off is a refusal all the same", async () => {
  await using given = await setUp(
    (response) => {
      response.writeHead(400, { "content-length": 500 }).write('{"error":{"mess');
      setTimeout(() => response.destroy(), 20);
    },
    { preset: "openai", apiKey: "k" },
  );
  await expect(generate(given.provider, REQUEST)).rejects.toMatchObject({
    code: "invalid-request",
    status: 400,
  });
  expect(given.asked).toHaveLength(1);
});

test("an address that is none is refused with what one looks like", async () => {
  const provider = createOpenai({ baseUrl: "gpu-box:8080" });
  const fault = { code: "invalid-settings", message: expect.stringContaining("http://127.0.0.1:8080/v1") };
  await expect(generate(provider, REQUEST)).rejects.toMatchObject(fault);
});

test("a server that answers in one piece is understood", async () => {
  const whole = {
    choices: [{ message: { role: "assistant", content: "Hi\nthere" }, finish_reason: "stop" }],
  };
  await using given = await setUp((response) =>
    response.setHeader("content-type", "application/json").end(JSON.stringify(whole, null, 2)),
  );
  expect((await generate(given.provider, REQUEST)).text).toBe("Hi\nthere");
});

test("an error with status 200, and a web page, are no answers", async () => {
  await using given = await setUp((response, _, count) => {
    if (count === 1)
      response.setHeader("content-type", "application/json").end('{"error":"Unexpected endpoint"}');
    else response.setHeader("content-type", "text/html").end("<html>Welcome</html>");
  });
  await expect(generate(given.provider, REQUEST)).rejects.toMatchObject({
    message: "Unexpected endpoint",
    status: 200,
  });
  await expect(generate(given.provider, REQUEST)).rejects.toMatchObject({
    code: "invalid-response",
    hint: expect.stringContaining("/v1"),
  });
});

test.each([
  [
    429,
    { error: { message: "slow", type: "rate_limit_error" } },
    { code: "rate-limited", retryAfterMs: 7_000 },
  ],
  [
    429,
    { error: { message: "used up", code: "insufficient_quota" } },
    { code: "quota-exhausted", retryable: false },
  ],
  [
    503,
    { error: { message: "Loading model", type: "unavailable_error" } },
    { code: "unavailable", retryable: true, retryAfterMs: 7_000 },
  ],
  [401, { error: { message: "no" } }, { code: "unauthenticated" }],
  [403, { error: { message: "no" } }, { code: "forbidden" }],
  [404, { error: { message: "model 'm' not found" } }, { code: "model-not-found" }],
  [400, { error: { message: "no" } }, { code: "invalid-request" }],
  [413, { error: { message: "no" } }, { code: "invalid-request" }],
  [422, { detail: [{ loc: ["body", "n"], msg: "no" }] }, { code: "invalid-request" }],
  [500, { error: { message: "no" } }, { code: "provider-internal", retryable: true }],
])("status %i with %o", async (status, body, fault) => {
  await using given = await setUp((response) =>
    response.writeHead(status, { "retry-after": "7" }).end(JSON.stringify(body)),
  );
  await expect(generate(given.provider, REQUEST)).rejects.toMatchObject({ ...fault, status });
  expect(given.asked).toHaveLength(1);
});

test("long lists are embedded in batches, in order, and one that fails fails all", async () => {
  await using given = await setUp(
    (response, { body }, count) => {
      if (count === 4) return void response.writeHead(500).end('{"error":"no"}');
      const { input } = body as { input: string[] };
      const data = input.map((text, index) => ({ index, embedding: [Number(text), 1] })).toReversed();
      response.end(JSON.stringify({ data, usage: { prompt_tokens: input.length } }));
    },
    { quirks: { embedBatch: 2 }, prefixes: { m: { query: "0" } }, dimensions: 2 },
  );
  const texts = ["1", "2", "3"];
  const { vectors, usage } = await given.provider.embed({ model: "m", texts, purpose: "query" });
  expect(given.asked.map(({ body }) => (body as { input: string[] }).input)).toEqual([["01", "02"], ["03"]]);
  expect(vectors.map(([first = 0, second = 1]) => Math.round(first / second))).toEqual([1, 2, 3]);
  expect(usage).toEqual({ inputTokens: 3 });
  const failing = given.provider.embed({ model: "m", texts: ["1", "2", "3", "4"] });
  await expect(failing).rejects.toMatchObject({ code: "provider-internal" });
  const kept = given.provider.embed({ model: "m", texts, keepAlive: 5 });
  await expect(kept).rejects.toMatchObject({ code: "unsupported" });
});

test("of an embedding's own fields none takes the place of the request's", async () => {
  await using given = await setUp((response) =>
    response.end(JSON.stringify({ data: [{ index: 0, embedding: [1] }] })),
  );
  const embed = (openai: JsonObject) =>
    given.provider.embed({ model: "m", texts: ["a"], providerOptions: { openai } });
  await embed({ dimensions: 1, user: "u" });
  expect(given.asked[0]?.body).toMatchObject({ input: ["a"], dimensions: 1, user: "u" });
  await expect(embed({ input: ["b"] })).rejects.toMatchObject({
    code: "invalid-request",
    message: expect.stringContaining("providerOptions.openai.input"),
  });
  expect(given.asked).toHaveLength(1);
});

test("sound goes over Chat Completions, as Responses has no word for it", async () => {
  await using given = await setUp((response) => streamOf(response, piece("Hi") + ENDING), {
    preset: "openai",
    apiKey: "k",
  });
  const sound = { type: "file", mediaType: "audio/wav", data: Uint8Array.of(1) } as const;
  await generate(given.provider, { ...REQUEST, messages: [{ role: "user", content: [sound] }] });
  expect(given.asked[0]).toMatchObject({
    path: "/v1/chat/completions",
    body: { messages: [{ content: [{ type: "input_audio", input_audio: { format: "wav" } }] }] },
  });
});

test("LM Studio has no word for minP, which it would pass over", async () => {
  await using given = await setUp((response) => streamOf(response, piece("Hi") + ENDING), {
    preset: "lm-studio",
  });
  await generate(given.provider, { ...REQUEST, topK: 3, repeatPenalty: 1.1 });
  expect(given.asked[0]?.body).toMatchObject({ top_k: 3, repeat_penalty: 1.1 });
  await expect(generate(given.provider, { ...REQUEST, minP: 0.1 })).rejects.toMatchObject({
    code: "unsupported",
  });
});

test("a server whose version does not come is well all the same", async () => {
  await using given = await setUp(
    (response, { path }) => {
      if (path === "/v1/models") setTimeout(() => response.end('{"data":[]}'), 400);
    },
    { preset: "vllm" },
  );
  expect(await given.provider.health()).toEqual({ status: "ok" });
});

test("models are listed and described by what the server tells, whoever it is", async () => {
  const data = [
    { id: "v", owned_by: "vllm", max_model_len: 4_096 },
    {
      id: "r",
      context_length: 8_192,
      supported_parameters: ["tools"],
      architecture: { input_modalities: ["text"] },
    },
    { id: "e", type: "embeddings" },
    {
      id: "s",
      max_context_length: 32_768,
      capabilities: { completion_chat: true, function_calling: true, vision: false },
    },
  ];
  await using given = await setUp((response, { path }) => {
    if (path === "/version") response.end('{"version":"0.11.0"}');
    else if (path === "/v1/models") response.end(JSON.stringify({ object: "list", data }));
    else response.writeHead(404).end("{}");
  });
  const { provider } = given;
  expect((await provider.listModels()).map(({ id, task }) => [id, task])).toEqual([
    ["v", undefined],
    ["r", undefined],
    ["e", "embedding"],
    ["s", "chat"],
  ]);
  expect(await provider.describeModel("v")).toMatchObject({
    contextWindow: 4_096,
    capabilities: { chat: { value: "unknown" } },
  });
  expect(await provider.describeModel("r")).toMatchObject({
    contextWindow: 8_192,
    capabilities: { tools: { value: "yes", source: "reported" }, vision: { value: "no" } },
  });
  expect(await provider.describeModel("s")).toMatchObject({
    contextWindow: 32_768,
    capabilities: { chat: { value: "yes" }, vision: { value: "no" } },
  });
  expect(await provider.health()).toEqual({ status: "ok", version: "0.11.0" });
  await expect(provider.describeModel("x")).rejects.toMatchObject({ code: "model-not-found" });
});

test("health tells how to start a server that is down, and that one is loading", async () => {
  const down = createOpenai({ preset: "vllm", baseUrl: "http://127.0.0.1:9/v1" });
  expect(await down.health()).toMatchObject({ status: "down", hint: expect.stringContaining("vllm serve") });
  await down.close();
  await using given = await setUp((response) =>
    response.writeHead(503).end('{"error":{"message":"Loading model","type":"unavailable_error"}}'),
  );
  expect(await given.provider.health()).toMatchObject({
    status: "down",
    message: expect.stringContaining("Loading model"),
  });
});

test("a key that no header can hold is refused without being told", async () => {
  const provider = createOpenai({ baseUrl: "http://127.0.0.1:9/v1", apiKey: "sk-secret\nvalue" });
  const fault = (await generate(provider, REQUEST).catch((error: unknown) => error)) as Error;
  expect(fault).toMatchObject({ code: "invalid-settings" });
  expect(`${fault.message} ${JSON.stringify(fault)} ${String(fault.cause)}`).not.toContain("secret");
  await provider.close();
});

test("a header whose name is none is an invalid setting", async () => {
  for (const name of ["x y", "", "x:y"]) {
    const provider = createOpenai({ baseUrl: "http://127.0.0.1:1", headers: { [name]: "z" } });
    await expect(generate(provider, REQUEST)).rejects.toMatchObject({ code: "invalid-settings" });
    await provider.close();
  }
});
