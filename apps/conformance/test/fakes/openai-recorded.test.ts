import { expect, test } from "vitest";

import type { FakeBackend } from "../../src/backend.ts";
import {
  fixtureBody,
  fixtureNames,
  llamaServerFake,
  ollamaV1Fake,
  readFixture,
} from "../../src/fakes/index.ts";
import type { Fixture } from "../../src/fakes/index.ts";
import type { ChatScript, Scenario, Step } from "../../src/scenario.ts";
import { ask, replyOf, shapeOf } from "./recorded.ts";
import type { Json, Reply } from "./recorded.ts";

/** What the fakes do not play, and why. A fixture that is neither here nor alike fails. */
const NOT_PLAYED: Readonly<Record<string, string>> = {
  "cors-preflight": "no provider sends one",
  "completion-stream": "the old way to ask; no provider of ours uses it",
  detokenize: "no provider asks for it",
  metrics: "no provider asks for it",
  models: "the same list under another name: played as /v1/models",
  "embeddings-native": "another shape under another path; no provider asks for it",
  "chat-two-choices": "nobody asks for two answers",
  "chat-stream-progress": "no scenario tells of the prefill",
  "chat-stop": "a piece that was held back for the stop string carries the timings too",
  "tokenize-pieces": "the fake's tokens are words, never half a character",
  "v1-tool-stream": "two calls in one piece; the fake sends each in one of its own",
  "chat-stream-timings": "timings on each piece, by request; no provider asks for them",
  "chat-grammar-wrong": "the fake compiles no grammar",
  "chat-schema-wrong": "the fake compiles no schema",
  "v1-overflow-rendered": "the fake has the native path, which refuses",
  "v1-tool-choice-none": "only says that the field is ignored: the call comes",
};

const MODELS: NonNullable<Scenario["models"]> = [
  {
    id: "reference-model",
    task: "chat",
    window: 1_024,
    features: ["tools", "reasoning"],
    quantization: "Q8_0",
  },
];
const EMBEDDER: NonNullable<Scenario["models"]> = [
  { id: "all-minilm", task: "embedding", window: 512, dimensions: 384 },
];
const RANKER: NonNullable<Scenario["models"]> = [{ id: "rank", task: "rerank", window: 512 }];
const SERVER_OF_OLLAMA: NonNullable<Scenario["models"]> = [
  ...MODELS,
  { id: "reference-model-template", task: "chat", window: 2_048, features: ["tools", "reasoning"] },
  ...EMBEDDER,
];

const caseOf = (name: string): string => name.split("/").at(-1) ?? name;

const fixtures = [
  ...fixtureNames("llama-server"),
  ...fixtureNames("ollama").filter((name) => name.includes("/v1-")),
].filter((name) => NOT_PLAYED[caseOf(name)] === undefined);

test.each(fixtures)("%s is answered as it was recorded", async (name) => {
  const fixture = readFixture(name);
  const backend = await fakeFor(name).start(scenarioFor(name, fixture));
  try {
    const key = caseOf(name) === "key-right" ? "key-for-tests" : undefined;
    const reply = await ask(backend, fixture.request, key).catch(() => undefined);
    const recorded = fixture.faulty === undefined ? replyOf(fixture, fixtureBody(fixture)) : undefined;
    expect(reply && normalised(name, reply)).toEqual(recorded && normalised(name, recorded));
  } finally {
    await backend.close();
  }
});

const fakeFor = (name: string): FakeBackend => (name.startsWith("ollama/") ? ollamaV1Fake : llamaServerFake);

const scenarioFor = (name: string, fixture: Fixture): Scenario => {
  const of = caseOf(name);
  if (of.endsWith("-loading")) return { models: MODELS, refusesAll: { status: 503 } };
  if (of.startsWith("key-")) return { models: MODELS, key: "key-for-tests", ...answering(fixture) };
  if (of === "v1-overflow") return { models: MODELS.map((model) => ({ ...model, window: 100 })) };
  if (name.startsWith("ollama/")) return { models: SERVER_OF_OLLAMA, ...answering(fixture) };
  if (of === "embed-chat" || (of.startsWith("embeddings-") && of !== "embeddings-off"))
    return { models: EMBEDDER };
  if (of === "rerank") return { models: RANKER };
  if (of === "slots" || of === "props") return { models: MODELS, parallel: 2 };
  // The recorded prompts are long in tokens, less so in words.
  if (of.includes("overflow")) return { models: MODELS.map((model) => ({ ...model, window: 100 })) };
  return { models: MODELS, ...answering(fixture) };
};

/** The same texts, calls, counts and ends as recorded: the fake has to bring the wire's form to them. */
const answering = (fixture: Fixture): Pick<Scenario, "chats"> => {
  const { path } = fixture.request;
  if (fixture.response.status !== 200 || !/\/(?:chat\/completions|responses)$/u.test(path)) return {};
  const body = fixtureBody(fixture);
  const events = body.startsWith("{") ? [JSON.parse(body) as Chunk] : eventsOf(body);
  return { chats: [path.endsWith("/responses") ? scriptOfEvents(events) : scriptOf(events, fixture)] };
};

interface Chunk {
  readonly type?: string;
  readonly delta?: string;
  readonly model?: string;
  readonly choices?: readonly {
    readonly delta?: Said;
    readonly message?: Said;
    readonly finish_reason: string | null;
  }[];
  readonly usage?: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly prompt_tokens_details?: { readonly cached_tokens: number };
  } | null;
}

interface Said {
  readonly role?: string;
  readonly content?: string | null;
  readonly reasoning_content?: string;
  readonly reasoning?: string;
  readonly tool_calls?: readonly {
    readonly index: number;
    readonly id?: string;
    readonly function: { readonly name?: string; readonly arguments: string };
  }[];
}

const eventsOf = (body: string): Chunk[] =>
  body
    .split("\n")
    .filter((line) => line.startsWith("data: ") && line !== "data: [DONE]")
    .map((line) => JSON.parse(line.slice("data: ".length)) as Chunk);

const scriptOf = (chunks: readonly Chunk[], fixture: Fixture): ChatScript => {
  const steps: Step[] = [];
  const calls = new Map<string, { name: string; id: string | undefined; input: string; pieces: number }>();
  let reason: string | null = null;
  for (const [place, chunk] of chunks.entries()) {
    const choice = chunk.choices?.[0];
    if (choice === undefined) continue;
    reason = choice.finish_reason;
    const said = choice.delta ?? choice.message ?? {};
    const reasoning = said.reasoning_content ?? said.reasoning;
    if (reasoning !== undefined) steps.push({ reasoning });
    if (typeof said.content === "string" && said.content !== "") steps.push({ text: said.content });
    for (const [order, call] of (said.tool_calls ?? []).entries()) {
      const key = String(call.index ?? order);
      const known = calls.get(key) ?? { name: "", id: undefined, input: "", pieces: 0 };
      calls.set(key, {
        name: call.function.name ?? known.name,
        id: call.id ?? known.id,
        input: known.input + call.function.arguments,
        pieces: known.pieces + 1,
      });
    }
    if (chunk.model === "" && place === chunks.length - 1) steps.push({ empty: true });
  }
  for (const call of calls.values()) steps.push({ call });
  const usage = chunks.find((chunk) => chunk.usage !== undefined && chunk.usage !== null)?.usage;
  const counts = {
    input: usage?.prompt_tokens,
    output: usage?.completion_tokens,
    cached: usage?.prompt_tokens_details?.cached_tokens,
  };
  const first = chunks[0]?.choices?.[0]?.delta;
  const form = { bare: first !== undefined && first.role === undefined };
  if (fixture.faulty !== undefined) return { steps: [...steps, { cut: "close" }], form };
  return { steps, usage: counts, end: reason === null ? "none" : endOf(reason), form };
};

const endOf = (reason: string): ChatScript["end"] => {
  if (reason === "tool_calls") return "tool-calls";
  return reason === "length" ? "length" : "stop";
};

const scriptOfEvents = (events: readonly Chunk[]): ChatScript => {
  const steps = events.flatMap((event): Step[] => {
    if (event.type === "response.reasoning_text.delta") return [{ reasoning: event.delta ?? "" }];
    return event.type === "response.output_text.delta" ? [{ text: event.delta ?? "" }] : [];
  });
  return { steps };
};

/** Ids, times and figures of the engine are compared by their type; a call's fragments by their sum. */
const normalised = (name: string, reply: Reply): unknown => {
  const { status, mediaType, text } = reply;
  const isJson = text.startsWith("{") || text.startsWith("[");
  const whole = isJson ? [JSON.parse(text) as Json] : text.split("\n").filter((line) => line !== "");
  if (isJson && status === 200 && !/chat/u.test(name)) {
    return { status, mediaType, shapes: whole.map((json) => shapeOf(essential(json))) };
  }
  if (isJson) return { status, mediaType, json: whole.map(timeless) };
  const isResponse = name.includes("responses");
  const lines = whole.map((line) => (typeof line === "string" ? lineOf(line, isResponse) : line));
  return { status, mediaType, lines: withoutFragments(lines) };
};

const lineOf = (line: string, isResponse: boolean): Json => {
  const json = /^data: (\{.*\})$/u.exec(line)?.[1];
  if (json === undefined) return line;
  const value = JSON.parse(json) as Json;
  return isResponse ? shapeOf(value) : timeless(value);
};

const timeless = (json: Json): Json => {
  const text = JSON.stringify(json, (key, value: unknown) => {
    if (key === "logprobs") return undefined;
    if (key === "timings") return shapeOf(value as Json);
    if (key === "model" && value !== "") return "M";
    return key === "id" || key === "created" ? typeof value : value;
  });
  const figures = /\(\d+ tokens\)|_tokens\\*":\d+|n_ctx\\*":\d+/gu;
  return JSON.parse(text.replace(figures, (found) => found.replace(/\d+/u, "7"))) as Json;
};

/** How a server cuts arguments is its own affair; that the pieces have the same fields is not. */
const withoutFragments = (lines: readonly Json[]): readonly Json[] => {
  const kept: Json[] = [];
  for (const line of lines) {
    const text = JSON.stringify(line).replace(/"arguments":"(?:[^"\\]|\\.)*"/gu, '"arguments":"…"');
    const known = kept.some((other) => JSON.stringify(other) === text);
    if (!text.includes('"arguments"') || !known) kept.push(JSON.parse(text) as Json);
  }
  return kept;
};

/** Of a description, what a provider reads. */
const essential = (json: Json): Json => {
  const copy = structuredClone(json) as Record<string, Json>;
  const settings = copy["default_generation_settings"] as Record<string, Json> | undefined;
  if (settings !== undefined) delete settings["params"];
  return copy;
};
