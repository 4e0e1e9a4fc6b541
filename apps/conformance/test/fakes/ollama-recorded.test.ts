import { createHash } from "node:crypto";

import { expect, test } from "vitest";

import type { Backend, FakeBackend } from "../../src/backend.ts";
import {
  fixtureBody,
  fixtureNames,
  ollamaFake,
  ollamaFake013,
  ollamaFakeNative,
  readFixture,
} from "../../src/fakes/index.ts";
import type { Fixture } from "../../src/fakes/index.ts";
import type { CallScript, ChatScript, Scenario, Step } from "../../src/scenario.ts";
import { ask, jsonLines, replyOf, shapeOf } from "./recorded.ts";
import type { Json, Reply } from "./recorded.ts";

/** What the fake does not play, and why. A fixture that is neither here nor alike fails. */
const NOT_PLAYED: Readonly<Record<string, string>> = {
  "chat-schema-wrong": "the fake compiles no schema",
  "chat-client-closed": "our own end of the connection",
  "pull-cancelled": "our own end of the connection",
  create: "tested below, with a file of our own",
  "pull-resumed": "tested below, with a download of our own",
  "pull-again": "tested below, with a download of our own",
  "pull-no-network": "the fake's registry is always there",
  "pull-no-network-one-piece": "the fake's registry is always there",
  "pull-installed": "the fake's registry is always there",
  "cors-preflight": "no provider sends one",
};

const MODELS: NonNullable<Scenario["models"]> = [
  {
    id: "reference-model",
    task: "chat",
    window: 2_048,
    features: ["tools", "reasoning"],
    quantization: "Q8_0",
  },
  {
    id: "reference-model-template",
    task: "chat",
    window: 2_048,
    features: ["tools", "reasoning"],
    quantization: "Q8_0",
  },
  { id: "reference-model-plain", task: "chat", window: 2_048, features: ["tools"], quantization: "Q8_0" },
  { id: "reference-model-bare", task: "chat", window: 2_048, quantization: "Q8_0" },
  { id: "all-minilm", task: "embedding", window: 512, dimensions: 384 },
];

const fixtures = [...fixtureNames("ollama"), ...fixtureNames("ollama-0.13")]
  // The other protocol on the same server: its shapes are the openai fake's.
  .filter((name) => !name.includes("/v1-"))
  .filter((name) => NOT_PLAYED[caseOf(name)] === undefined);

const chat = { model: "kit-chat", messages: [{ role: "user", content: "1 2 3 4 5 6 7 8" }] };

const post = (backend: Backend, path: string, body: object): Promise<Response> =>
  fetch(`${backend.address}${path}`, { method: "POST", body: JSON.stringify(body) });

test("a model is made from an uploaded file, and a file that is known is not asked for again", async () => {
  const backend = await ollamaFake.start({});
  try {
    const file = Buffer.from("GGUF and so on");
    const digest = `sha256:${createHash("sha256").update(file).digest("hex")}`;
    const upload = (): Promise<Response> =>
      fetch(`${backend.address}/api/blobs/${digest}`, { method: "POST", body: file });
    expect([(await upload()).status, (await upload()).status]).toEqual([201, 200]);
    const made = await post(backend, "/api/create", { model: "made", files: { "model.gguf": digest } });
    const recorded = jsonLines(fixtureBody(readFixture("ollama/create")));
    const statuses = (lines: readonly Json[]) =>
      (lines as readonly { status: string }[]).map(({ status }) => status.replace(/sha256:\w+/u, "sha256:…"));
    expect(statuses(jsonLines(await made.text()))).toEqual(statuses(recorded));
    expect((await post(backend, "/api/chat", { ...chat, model: "made" })).status).toBe(200);
  } finally {
    await backend.close();
  }
});

test("a download is told as recorded: nothing, layer by layer, verifying, writing, success", async () => {
  const models = [{ id: "far", task: "chat" as const, window: 10, installed: false }];
  const backend = await ollamaFake.start({ models, pulls: [{ layers: [1_000] }] });
  try {
    const lines = jsonLines(await (await post(backend, "/api/pull", { model: "far" })).text());
    expect(new Set(lines.map((line) => JSON.stringify(shapeOf(line))))).toEqual(
      new Set([
        ...jsonLines(fixtureBody(readFixture("ollama/pull-resumed"))).map((line) =>
          JSON.stringify(shapeOf(line)),
        ),
        // Before the first byte the recorded server tells no `completed`.
        JSON.stringify(shapeOf({ digest: "", status: "", total: 0 })),
      ]),
    );
    const completed = (lines as readonly { completed?: number }[]).flatMap((line) => line.completed ?? []);
    expect(completed).toEqual([250, 500, 750]);
    const again = jsonLines(await (await post(backend, "/api/pull", { model: "far" })).text());
    expect(again.map(shapeOf)).toEqual([
      { status: "string" },
      { completed: "number", digest: "string", status: "string", total: "number" },
      { status: "string" },
      { status: "string" },
      { status: "string" },
    ]);
  } finally {
    await backend.close();
  }
});

test.each([
  ["new, own template", ollamaFake, 130],
  ["0.13", ollamaFake013, 256],
])("%s: a prompt beyond the window is cut in silence to the recorded count", async (_, fake, count) => {
  const backend = await fake.start({});
  try {
    const long = "word ".repeat(1_000);
    const body = {
      ...chat,
      messages: [{ role: "user", content: long }],
      options: { num_ctx: 256 },
      stream: false,
    };
    const reply = (await (await post(backend, "/api/chat", body)).json()) as { prompt_eval_count: number };
    expect(reply.prompt_eval_count).toBe(count);
  } finally {
    await backend.close();
  }
});

test("without shifting, an answer ends when prompt and answer fill the window", async () => {
  const models = [{ id: "kit-chat", task: "chat" as const, window: 10 }];
  const backend = await ollamaFake.start({ models, chats: [{ steps: [{ text: "a b c d" }] }] });
  try {
    const end = async (more: object): Promise<unknown> =>
      (await post(backend, "/api/chat", { ...chat, ...more, stream: false })).json();
    expect(await end({ shift: false })).toMatchObject({ message: { content: "a b" }, done_reason: "length" });
    expect(await end({})).toMatchObject({
      message: { content: "a b c d" },
      done_reason: "stop",
      eval_count: 4,
    });
  } finally {
    await backend.close();
  }
});

test("a window that is asked for is rounded up, and loads the model anew", async () => {
  const backend = await ollamaFake.start({ loads: [{ takesMs: 1 }] });
  try {
    await post(backend, "/api/chat", { ...chat, options: { num_ctx: 300 }, keep_alive: "10m" });
    expect(backend.seen.loaded).toEqual([{ id: "kit-chat:latest", window: 512, keepAliveMs: 600_000 }]);
    await post(backend, "/api/chat", { ...chat, messages: [], keep_alive: 0 });
    expect(backend.seen.loaded).toEqual([]);
    expect(backend.seen.requests.map((request) => request.operation)).toEqual(["chat", "unload"]);
  } finally {
    await backend.close();
  }
});

test.each(fixtures)("%s is answered as it was recorded", async (name) => {
  const fixture = readFixture(name);
  const backend = await fakeFor(name).start(scenarioFor(name, fixture));
  try {
    if (caseOf(name) === "delete" || caseOf(name) === "copy") await prepare(backend.address, caseOf(name));
    const reply = await ask(backend, fixture.request);
    const recorded = replyOf(fixture, fixtureBody(fixture));
    expect(normalised(name, reply)).toEqual(normalised(name, recorded));
  } finally {
    await backend.close();
  }
});

function caseOf(name: string): string {
  return name.split("/").at(-1) ?? name;
}

const fakeFor = (name: string): FakeBackend => {
  if (name.startsWith("ollama-0.13/")) return ollamaFake013;
  return /rendered/u.test(name) || name.endsWith("generate-stream") ? ollamaFake : ollamaFakeNative;
};

/** The same texts, calls, counts and ends as recorded: the fake has to bring the wire's form to them. */
const scenarioFor = (name: string, fixture: Fixture): Scenario => {
  const of = caseOf(name);
  const scenario: Scenario = { models: MODELS, version: "0.0.0" };
  if (of === "queue-full") return { ...scenario, chats: [{ refusal: { status: 503 } }] };
  if (of === "chat-tool-call-cut" && fixture.response.status === 500) {
    return { ...scenario, chats: [{ refusal: { status: 500, because: "output-cut" } }] };
  }
  if (of === "ps-loaded" || of === "ps-forever") {
    const models = name.startsWith("ollama-0.13/") ? MODELS.slice(1, 2) : MODELS.slice(0, 1);
    return { ...scenario, models: models.map((model) => ({ ...model, loaded: true })) };
  }
  const isAnswer =
    /^\/api\/(?:chat|generate)$/u.test(fixture.request.path) && fixture.response.status === 200;
  return isAnswer ? { ...scenario, chats: [scriptOf(jsonLines(fixtureBody(fixture)))] } : scenario;
};

interface Line {
  readonly message?: {
    readonly content: string;
    readonly thinking?: string;
    readonly tool_calls?: readonly Call[];
  };
  readonly response?: string;
  readonly error?: string;
  readonly done?: boolean;
  readonly done_reason?: string;
  readonly prompt_eval_count?: number;
  readonly eval_count?: number;
}

interface Call {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments: object };
}

const scriptOf = (lines: readonly Json[]): ChatScript => {
  const steps: Step[] = [];
  const said = lines as readonly Line[];
  for (const { message, response, error, done } of said) {
    if (error !== undefined) steps.push({ error });
    if (message?.thinking !== undefined) steps.push({ reasoning: message.thinking });
    const text = message?.content ?? response ?? "";
    if (text !== "") steps.push({ text });
    const says = [text, error, message?.thinking, ...(message?.tool_calls ?? [])];
    if (done === false && says.every((part) => part === undefined || part === ""))
      steps.push({ empty: true });
    for (const call of message?.tool_calls ?? []) {
      const input = call.function.arguments as CallScript["input"];
      steps.push({ call: { name: call.function.name, input, id: call.id, terminal: done === true } });
    }
  }
  const last = said.at(-1);
  const usage = { input: last?.prompt_eval_count, output: last?.eval_count };
  if (last?.done !== true) return { steps, end: "none" };
  return { steps, end: last.done_reason === "length" ? "length" : "stop", usage };
};

/** Times, and figures that depend on the tokenizer, are not compared; what the fake does not know is left out. */
const normalised = (name: string, reply: Reply): unknown => {
  const { status, mediaType } = reply;
  const lines = reply.text.startsWith("{") ? jsonLines(reply.text) : undefined;
  if (lines === undefined) return { status, mediaType, text: reply.text };
  if (/\/(?:show|tags|ps|embed|create|pull)/u.test(name) && status === 200) {
    const shapes = lines.map((line) => shapeOf(essential(line)));
    return { status, mediaType, shapes };
  }
  return { status, mediaType, lines: lines.map(timeless) };
};

const timeless = (line: Json): Json => {
  const text = JSON.stringify(line, (key, value: unknown) =>
    DROPPED.has(key) ? undefined : timelessValue(key, value),
  );
  return JSON.parse(
    text.replace(/\d+ tokens|tokens\\*":\d+/gu, (found) => found.replace(/\d+/u, "N")),
  ) as Json;
};

const timelessValue = (key: string, value: unknown): unknown =>
  key === "created_at" || key.endsWith("_duration") ? typeof value : value;

/** `context` and `logprobs`: only by request, or only on one path. */
const DROPPED = new Set(["context", "logprobs"]);

/** Of a description, what a provider reads. */
const essential = (line: Json): Json => {
  const copy = structuredClone(line) as Record<string, Json>;
  for (const name of ["tensors", "modelfile", "template", "parameters", "license"]) delete copy[name];
  const info = copy["model_info"] as Record<string, Json> | undefined;
  if (info !== undefined) {
    const kept = /^general\.(?:architecture|parameter_count)$|\.(?:context|embedding)_length$/u;
    copy["model_info"] = Object.fromEntries(Object.entries(info).filter(([key]) => kept.test(key)));
  }
  return copy;
};

const prepare = async (address: string, of: string): Promise<void> => {
  const copy = (source: string, destination: string): Promise<Response> =>
    fetch(`${address}/api/copy`, { method: "POST", body: JSON.stringify({ source, destination }) });
  await copy("reference-model", "created");
  if (of === "delete") await copy("reference-model", "copied");
};
