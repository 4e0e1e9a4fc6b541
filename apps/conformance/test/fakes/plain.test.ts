import { once } from "node:events";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, expect, test } from "vitest";

import type { Backend } from "../../src/backend.ts";
import { plainFake } from "../../src/fakes/index.ts";
import type { Scenario } from "../../src/scenario.ts";

const open: Backend[] = [];
const start = async (scenario: Scenario = {}): Promise<Backend> => {
  const backend = await plainFake.start(scenario);
  open.push(backend);
  return backend;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((backend) => backend.close()));
});

const post = (backend: Backend, path: string, body: object, init: RequestInit = {}): Promise<Response> =>
  fetch(`${backend.address}${path}`, { method: "POST", body: JSON.stringify(body), ...init });

const lines = async (response: Response): Promise<unknown[]> =>
  (await response.text())
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line): unknown => JSON.parse(line));

const hello = { model: "kit-chat", messages: [{ role: "user", text: "one two three" }] };

/** Every read of the socket, as it came. */
const reads = async (backend: Backend, body: object): Promise<Buffer[]> => {
  const call = request(`${backend.address}/chat`, { method: "POST" });
  call.end(JSON.stringify(body));
  const [response] = (await once(call, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return chunks;
};

test("a scenario that says nothing gives a short answer, counted in words", async () => {
  const backend = await start();
  const response = await post(backend, "/chat", hello);
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  expect(await lines(response)).toEqual([
    { type: "start", model: "kit-chat" },
    { type: "text", text: "All is " },
    { type: "text", text: "well." },
    { type: "end", reason: "stop", usage: { input: 3, output: 3 } },
  ]);
  expect(backend.seen.requests).toMatchObject([
    { operation: "chat", asked: { model: "kit-chat", stream: true }, leftAt: undefined },
  ]);
  expect(backend.seen.requests[0]?.answeredAt).toBeTypeOf("number");
  expect(backend.seen.loaded).toEqual([{ id: "kit-chat", window: 2_048, keepAliveMs: undefined }]);
});

test("the same answer comes in one piece where the request asks for it", async () => {
  const backend = await start();
  const response = await post(backend, "/chat", { ...hello, stream: false });
  expect(await response.json()).toEqual({
    text: "All is well.",
    calls: [],
    reason: "stop",
    usage: { input: 3, output: 3 },
  });
});

test("one byte for each write cuts characters too, and nothing is lost", async () => {
  const steps = [{ text: "grüße 👋" }];
  const backend = await start({ chats: [{ steps, form: { bytes: 1 } }] });
  const chunks = await reads(backend, hello);
  expect(chunks.every((chunk) => chunk.length === 1)).toBe(true);
  expect(Buffer.concat(chunks).toString()).toContain("grüße 👋");
});

test("a merged answer is one write", async () => {
  const backend = await start({ chats: [{ form: { merged: true } }] });
  expect(await reads(backend, hello)).toHaveLength(1);
});

test("line ends, blank lines, unknown fields and a missing opening come as the scenario asks", async () => {
  const form = { crlf: true, blanks: true, unknownFields: true, bare: true };
  const backend = await start({ chats: [{ steps: [{ text: "hi" }], form, usage: "absent" }] });
  const text = Buffer.concat(await reads(backend, hello)).toString();
  const [blank, first, , last] = text.split("\r\n");
  expect(blank).toBe("");
  expect(JSON.parse(first ?? "")).toMatchObject({ type: "text", text: "hi", x_flag: null });
  expect(JSON.parse(last ?? "")).toMatchObject({ type: "end", reason: "stop", x_flag: null });
  expect(last).not.toContain("usage");
});

test("fragments of several calls come in turns, and ids as the scenario gives them", async () => {
  const steps = [
    {
      interleaved: [
        { name: "one", input: { a: 1 }, pieces: 2, id: "same" },
        { name: "two", input: "{not json", id: null },
      ],
    },
    { call: { name: "three", idAbsent: true, terminal: true } },
  ];
  const backend = await start({ chats: [{ steps, end: "stop" }] });
  const pieces = await lines(await post(backend, "/chat", hello));
  expect(pieces.slice(1)).toEqual([
    { type: "call", index: 0, id: "same", name: "one", input: '{"a"' },
    { type: "call", index: 1, id: null, name: "two", input: "{not json" },
    { type: "call", index: 0, input: ":1}" },
    {
      type: "end",
      reason: "stop",
      usage: { input: 3, output: 4 },
      calls: [{ name: "three", input: "{}" }],
    },
  ]);
});

test("a client that goes in the middle is seen to go, and the generation ends", async () => {
  const backend = await start({ chats: [{ steps: [{ text: "one" }, { pause: "forever" }] }] });
  const call = request(`${backend.address}/chat`, { method: "POST" });
  call.end(JSON.stringify(hello));
  const [response] = (await once(call, "response")) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  expect(backend.seen.generating).toBe(1);
  response.destroy();
  await backend.seen.until((seen) => seen.requests[0]?.leftAt !== undefined, "the client left");
  await backend.seen.until((seen) => seen.generating === 0 && seen.openSockets === 0, "nothing goes on");
  expect(backend.seen.requests[0]?.answeredAt).toBeUndefined();
});

test("a client that goes before the headers is seen to go", async () => {
  const backend = await start({ chats: [{ headersAfter: "never" }] });
  const leave = new AbortController();
  const call = post(backend, "/chat", hello, { signal: leave.signal });
  await backend.seen.until((seen) => seen.generating === 1, "it has begun");
  leave.abort();
  await expect(call).rejects.toThrow("abort");
  await backend.seen.until((seen) => seen.requests[0]?.leftAt !== undefined, "the client left");
});

test.each([
  ["reset", { cut: "reset" as const }],
  ["close", { cut: "close" as const }],
])("a cut by %s breaks the body, and is not put down to the client", async (_, cut) => {
  const backend = await start({ chats: [{ steps: [{ text: "one" }, cut] }] });
  await expect(post(backend, "/chat", hello).then((response) => response.text())).rejects.toThrow(
    "terminated",
  );
  expect(backend.seen.requests[0]?.leftAt).toBeUndefined();
});

test("without its end an answer stops politely", async () => {
  const backend = await start({ chats: [{ steps: [{ text: "one" }], end: "none" }] });
  const pieces = await lines(await post(backend, "/chat", hello));
  expect(pieces.at(-1)).toEqual({ type: "text", text: "one" });
});

test("refusals have the protocol's words, or what the scenario says", async () => {
  const backend = await start({
    chats: [
      { refusal: { status: 429, retryAfterSeconds: 7 } },
      { refusal: { status: 502, body: "html" } },
      { refusal: { status: 500, body: { text: "{" } } },
    ],
  });
  const busy = await post(backend, "/chat", hello);
  expect([busy.status, busy.headers.get("retry-after")]).toEqual([429, "7"]);
  expect(await busy.json()).toMatchObject({ error: { code: "busy" } });
  const page = await post(backend, "/chat", hello);
  expect(page.headers.get("content-type")).toContain("text/html");
  const broken = await post(backend, "/chat", hello);
  expect([broken.status, await broken.text()]).toEqual([500, "{"]);
});

test("a key is asked for", async () => {
  const backend = await start({ key: "secret" });
  expect((await fetch(`${backend.address}/models`)).status).toBe(401);
  const headers = { authorization: "Bearer secret" };
  expect((await fetch(`${backend.address}/models`, { headers })).status).toBe(200);
});

test("where nobody listens, a connection is refused", async () => {
  const backend = await start({ down: true });
  const failure: unknown = await fetch(`${backend.address}/health`).catch((error: unknown) => error);
  expect(failure).toMatchObject({ cause: { code: "ECONNREFUSED" } });
});

test("a silent backend takes the request and says nothing", async () => {
  const backend = await start({ silent: true });
  await expect(fetch(`${backend.address}/health`, { signal: AbortSignal.timeout(50) })).rejects.toThrow();
  await backend.seen.until((seen) => seen.requests[0]?.leftAt !== undefined, "the client left");
});

test("only so many generations run at once; the others wait their turn", async () => {
  const backend = await start({ parallel: 1, chats: [{ steps: [{ pause: 20 }, { text: "done" }] }] });
  await Promise.all([1, 2, 3].map(async () => lines(await post(backend, "/chat", hello))));
  expect(backend.seen.mostAtOnce).toBe(1);
  expect(backend.seen.requests).toHaveLength(3);
});

test("a prompt beyond the window is cut in silence, unless the request asks for an error", async () => {
  const models = [{ id: "kit-chat", task: "chat" as const, window: 4 }];
  const backend = await start({ models, chats: [{ steps: [{ text: "a b c" }] }] });
  const long = { ...hello, messages: [{ role: "user", text: "1 2 3 4 5 6" }] };
  const cut = await lines(await post(backend, "/chat", long));
  expect(cut.at(-1)).toMatchObject({ reason: "stop", usage: { input: 4, output: 3 } });
  const refused = await post(backend, "/chat", { ...long, overflow: "error" });
  expect([refused.status, await refused.json()]).toEqual([
    400,
    { error: { code: "overflow", message: "the prompt has 6 tokens, the window 4", tokens: 6, limit: 4 } },
  ]);
  const filled = await lines(await post(backend, "/chat", { ...hello, overflow: "error" }));
  expect(filled.slice(1)).toEqual([
    { type: "text", text: "a" },
    { type: "end", reason: "length", usage: { input: 3, output: 1 } },
  ]);
});

test("vectors have length 1, are equal for equal texts, and can be spoiled", async () => {
  const backend = await start({ embeds: [{}, { spoiled: "nan" }, { batchLimit: 1 }] });
  const body = { model: "kit-embed", texts: ["a b", "", "a b"] };
  const { vectors, usage } = (await (await post(backend, "/embed", body)).json()) as {
    vectors: number[][];
    usage: unknown;
  };
  expect(vectors.map((vector) => Math.hypot(...vector).toFixed(6))).toEqual([
    "1.000000",
    "1.000000",
    "1.000000",
  ]);
  expect(vectors[0]).toEqual(vectors[2]);
  expect(usage).toEqual({ input: 4 });
  const spoiled = (await (await post(backend, "/embed", body)).json()) as { vectors: unknown[][] };
  expect(spoiled.vectors[2]?.[0]).toBeNull();
  expect(await (await post(backend, "/embed", body)).json()).toMatchObject({
    error: { code: "batch-limit", limit: 1 },
  });
});

test("models are listed, described, loaded, unloaded, counted with, ranked by and deleted", async () => {
  const backend = await start();
  const list = (await (await fetch(`${backend.address}/models`)).json()) as { models: unknown[] };
  expect(list.models).toHaveLength(3);
  expect(await (await fetch(`${backend.address}/models/kit-embed`)).json()).toMatchObject({ dimensions: 8 });
  expect((await fetch(`${backend.address}/models/other`)).status).toBe(404);
  const load = await post(backend, "/load", { model: "kit-chat", window: 64, keepAliveMs: -1 });
  expect(await load.json()).toEqual({ model: "kit-chat", window: 64 });
  expect(backend.seen.loaded).toEqual([{ id: "kit-chat", window: 64, keepAliveMs: Infinity }]);
  expect(await (await fetch(`${backend.address}/loaded`)).json()).toEqual({
    models: [{ name: "kit-chat", window: 64, keepAliveMs: -1 }],
  });
  expect(await (await post(backend, "/count", { model: "kit-chat", texts: ["a b", "c"] })).json()).toEqual({
    tokens: 3,
    perText: [2, 1],
    window: 64,
  });
  const ranked = await post(backend, "/rerank", { model: "kit-rerank", query: "a b", texts: ["c", "b a"] });
  expect(await ranked.json()).toEqual({ scores: [0, 1] });
  expect((await post(backend, "/unload", { model: "kit-chat" })).status).toBe(204);
  expect(backend.seen.loaded.map((model) => model.id)).toEqual(["kit-rerank"]);
  expect((await fetch(`${backend.address}/models/kit-chat`, { method: "DELETE" })).status).toBe(204);
  expect((await post(backend, "/chat", hello)).status).toBe(404);
});

const toPull = [{ id: "far", task: "chat" as const, window: 10, installed: false }];

test("a pull tells its layers, goes on after a stop, and installs the model", async () => {
  const backend = await start({ models: toPull, pulls: [{ layers: [4, 8], stepMs: 5 }] });
  const leave = new AbortController();
  const cut = await post(backend, "/pull", { model: "far" }, { signal: leave.signal });
  await sleep(30);
  leave.abort();
  await expect(cut.text()).rejects.toThrow();
  await backend.seen.until((seen) => seen.requests[0]?.leftAt !== undefined, "the client left");
  const pieces = await lines(await post(backend, "/pull", { model: "far" }));
  const received = pieces.map((piece) => (piece as { received?: number }).received);
  expect(received[0]).toBeGreaterThan(0);
  expect(pieces.at(-1)).toEqual({ type: "done", name: "far" });
  expect((await post(backend, "/chat", { ...hello, model: "far" })).status).toBe(200);
});

test("pulls of one model share the download, and errors come inside the stream", async () => {
  const pulls = [{ at: 0.5, trouble: { error: "no space left" } }, {}];
  const backend = await start({ models: toPull, pulls });
  const both = await Promise.all(
    [1, 2].map(async () => lines(await post(backend, "/pull", { model: "far" }))),
  );
  expect(both.map((pieces) => pieces.at(-1))).toEqual([
    { type: "error", message: "no space left" },
    { type: "error", message: "no space left" },
  ]);
  const again = await lines(await post(backend, "/pull", { model: "far" }));
  expect(again.at(-1)).toEqual({ type: "done", name: "far" });
  const missing = await lines(await post(backend, "/pull", { model: "nothing" }));
  expect(missing).toEqual([{ type: "error", message: 'nobody offers a model "nothing"' }]);
});

test("waiting for what never comes says what was seen instead", async () => {
  const backend = await start();
  await post(backend, "/chat", hello).then((response) => response.text());
  await expect(backend.seen.until(() => false, "the sea parts", 20)).rejects.toThrow(
    /waited 20 ms for: the sea parts; seen: POST \/chat \(chat, answered at \d+ ms\)/,
  );
});

test("a download that nobody follows leaves no timer behind", async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const backend = await start({ models: toPull, pulls: [{ layers: [4], stepMs: 60_000 }] });
  const before = timers();
  const leave = new AbortController();
  const pulling = await post(backend, "/pull", { model: "far" }, { signal: leave.signal });
  await pulling.body?.getReader().read();
  leave.abort();
  await backend.seen.until((seen) => seen.requests[0]?.leftAt !== undefined, "the client left");
  await backend.close();
  expect(timers()).toBeLessThanOrEqual(before);
});

test("who leaves a shared download does not stop it for the others", async () => {
  const backend = await start({ models: toPull, pulls: [{ layers: [40], stepBytes: 1 }] });
  const leave = new AbortController();
  const one = post(backend, "/pull", { model: "far" }, { signal: leave.signal });
  const other = post(backend, "/pull", { model: "far" });
  await (await one).body?.getReader().read();
  leave.abort();
  expect((await lines(await other)).at(-1)).toEqual({ type: "done", name: "far" });
});
