import { expect, onTestFinished, test } from "vitest";

import type { Backend } from "../../src/backend.ts";
import { openaiFake } from "../../src/fakes/index.ts";
import type { Scenario } from "../../src/scenario.ts";

const start = async (scenario: Scenario = {}): Promise<Backend> => {
  const backend = await openaiFake.start(scenario);
  onTestFinished(() => backend.close());
  return backend;
};

const post = (backend: Backend, path: string, body: object): Promise<Response> =>
  fetch(`${backend.address}${path}`, { method: "POST", body: JSON.stringify(body) });

const events = async (response: Response): Promise<Record<string, unknown>[]> =>
  (await response.text())
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice("data: ".length)) as Record<string, unknown>);

const hello = { model: "kit-chat", stream: true, messages: [{ role: "user", content: "one two" }] };

test("usage comes only by request, after the end, and is null before", async () => {
  const backend = await start();
  const without = await events(await post(backend, "/v1/chat/completions", hello));
  expect(without.filter((chunk) => "usage" in chunk)).toEqual([]);
  const asking = { ...hello, stream_options: { include_usage: true } };
  const chunks = await events(await post(backend, "/v1/chat/completions", asking));
  expect(chunks.map((chunk) => chunk["usage"])).toEqual([
    ...Array.from({ length: chunks.length - 1 }, () => null),
    { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 },
  ]);
  expect(chunks.at(-1)?.["choices"]).toEqual([]);
});

test("a call may come inside the terminal chunk, and ids as the scenario gives them", async () => {
  const call = { name: "go", input: { to: "there" }, id: "", terminal: true };
  const backend = await start({ chats: [{ steps: [{ call }] }] });
  const chunks = await events(await post(backend, "/v1/chat/completions", hello));
  expect(chunks.at(-1)?.["choices"]).toMatchObject([
    {
      finish_reason: "tool_calls",
      delta: { tool_calls: [{ index: 0, id: "", function: { name: "go", arguments: '{"to":"there"}' } }] },
    },
  ]);
});

test("an answer told in responses has one item for each block, opened and closed in order", async () => {
  const steps = [
    { reasoning: "hm" },
    { text: "on my " },
    { text: "way" },
    { call: { name: "go", input: { to: 1 }, pieces: 2 } },
  ];
  const backend = await start({ chats: [{ steps }] });
  const body = { model: "kit-chat", stream: true, instructions: "be brief", input: "go" };
  const told = await events(await post(backend, "/v1/responses", body));
  expect(told.map((event) => event["type"])).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.reasoning_summary_text.delta",
    "response.output_item.done",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.output_item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_item.done",
    "response.completed",
  ]);
  expect(told.map((event) => event["sequence_number"])).toEqual(told.map((_, place) => place));
  expect(told.at(-1)?.["response"]).toMatchObject({
    status: "completed",
    output: [
      { type: "reasoning" },
      { type: "message", content: [{ text: "on my way" }] },
      { type: "function_call", call_id: "call-1", name: "go", arguments: '{"to":1}' },
    ],
    usage: { input_tokens: 3, output_tokens: 5 },
  });
  expect(backend.seen.requests[0]?.asked.messages).toEqual([
    { role: "system", text: "be brief" },
    { role: "user", text: "go" },
  ]);
});

test("vectors come as numbers, or as base64 of little-endian floats", async () => {
  const backend = await start();
  const body = { model: "kit-embed", input: ["a b", "c"] };
  const embed = async (more: object): Promise<unknown[]> => {
    const reply = (await (await post(backend, "/v1/embeddings", { ...body, ...more })).json()) as {
      data: { embedding: unknown }[];
      usage: unknown;
    };
    expect(reply.usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
    return reply.data.map((item) => item.embedding);
  };
  const numbers = (await embed({})) as number[][];
  const packed = (await embed({ encoding_format: "base64" })) as string[];
  const unpacked = packed.map((text) => {
    const bytes = Buffer.from(text, "base64");
    return Array.from({ length: bytes.length / 4 }, (_, place) => bytes.readFloatLE(place * 4));
  });
  expect(unpacked).toEqual(numbers.map((vector) => vector.map(Math.fround)));
});

test("what is too long, too much or unknown is refused in the words of the API", async () => {
  const backend = await start({ embeds: [{ batchLimit: 1 }, {}] });
  const error = async (response: Promise<Response>): Promise<unknown> => {
    const reply = await response;
    const { error: said } = (await reply.json()) as { error: { code: string | null; message: string } };
    return [reply.status, said.code];
  };
  const embed = (input: unknown) => post(backend, "/v1/embeddings", { model: "kit-embed", input });
  expect(await error(embed(["a", "b"]))).toEqual([400, "array_above_max_length"]);
  expect(await error(embed("word ".repeat(129)))).toEqual([400, null]);
  expect(await error(post(backend, "/v1/chat/completions", { ...hello, model: "other" }))).toEqual([
    404,
    "model_not_found",
  ]);
  const long = [{ role: "user", content: "word ".repeat(3_000) }];
  expect(await error(post(backend, "/v1/chat/completions", { ...hello, messages: long }))).toEqual([
    400,
    "context_length_exceeded",
  ]);
});
