import { once } from "node:events";
import { connect } from "node:net";

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import type { Run, RunEvent } from "../src/api/schemas.ts";
import { sseResponse } from "../src/api/sse.ts";
import { createEventLog } from "../src/runs/event-log.ts";
import { openRunStore } from "../src/runs/run-store.ts";
import { createRuns } from "../src/runs/runs.ts";
import { createDouble, endless, words, type Double } from "./double.ts";
import { addText, json, readEvents, serverUnderTest, until } from "./under-test.ts";

let server: Awaited<ReturnType<typeof serverUnderTest>>;
let double: Double;

beforeAll(async () => {
  double = createDouble("house", [
    { id: "endless", speak: endless() },
    { id: "steady", speak: words("The gate ", "is green.") },
  ]);
  server = await serverUnderTest({ plugins: [double] });
  await addText(server.service, "gate.txt", "The gate is green. The wall is red.");
});
afterAll(() => server.close());

const QUESTION = { question: "What colour is the gate?" };

function ask(request: object, signal?: AbortSignal): Promise<Response> {
  const init = json("POST", { ...QUESTION, ...request });
  return fetch(`${server.url}/api/v1/answer`, signal === undefined ? init : { ...init, signal });
}

async function runOf(response: Response): Promise<Run> {
  return read(response.headers.get("x-run-id") ?? "");
}

async function read(runId: string): Promise<Run> {
  return (await (await fetch(`${server.url}/api/v1/runs/${runId}`)).json()) as Run;
}

/** The first word is there. */
async function firstWord(response: Response, controller: AbortController): Promise<string> {
  const events = await readUntilWord(response);
  expect(events).toBe(true);
  expect(double.running()).toBe(1);
  return controller.signal.aborted ? "" : (response.headers.get("x-run-id") ?? "");
}

async function readUntilWord(response: Response): Promise<boolean> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (reader !== undefined && !text.includes("event: text.delta")) {
    const { value, done } = await reader.read();
    if (done) return false;
    text += decoder.decode(value, { stream: true });
  }
  reader?.releaseLock();
  return true;
}

test("leaving the page stops the generation within 250 ms", async () => {
  const controller = new AbortController();
  const response = await ask({ model: "house/endless" }, controller.signal);
  const runId = await firstWord(response, controller);
  const left = performance.now();
  controller.abort();
  await until(() => double.running() === 0, 2_000);
  expect(performance.now() - left).toBeLessThan(250);
  await until(async () => (await read(runId)).status === "cancelled");
  expect((await read(runId)).answer).toContain("word0");
});

test("a client that waits for the JSON answer and leaves stops it, too", async () => {
  const controller = new AbortController();
  const waiting = ask({ model: "house/endless", stream: false }, controller.signal).catch(() => "left");
  await until(() => double.running() === 1);
  const left = performance.now();
  controller.abort();
  await until(() => double.running() === 0, 2_000);
  expect(performance.now() - left).toBeLessThan(250);
  expect(await waiting).toBe("left");
});

test("a beacon stops an answer as DELETE does", async () => {
  const response = await ask({ model: "house/endless", detach: true });
  const runId = response.headers.get("x-run-id") ?? "";
  expect(await readUntilWord(response)).toBe(true);
  const headers = { "content-type": "text/plain;charset=UTF-8", origin: server.url };
  const stopped = await fetch(`${server.url}/api/v1/runs/${runId}/cancel`, {
    method: "POST",
    headers,
    body: "",
  });
  expect(stopped.status).toBe(200);
  await until(() => double.running() === 0, 2_000);
});

test("a detached answer goes on without a listener, and a reload resumes where it was", async () => {
  const controller = new AbortController();
  const response = await ask({ model: "house/endless", detach: true }, controller.signal);
  const runId = await firstWord(response, controller);
  controller.abort();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const run = await read(runId);
  expect(run.status).toBe("running");
  expect(double.running()).toBe(1);

  const headers = { "last-event-id": String(run.lastEventId) };
  const resumed = await fetch(`${server.url}/api/v1/runs/${runId}/events`, { headers });
  let text = run.answer;
  const events = await readEvents(resumed, (event) => {
    if (event.type === "text.delta") text += event.text;
    return text.length > run.answer.length + 50;
  });
  expect(events[0]?.id).toBe(run.lastEventId + 1);
  await fetch(`${server.url}/api/v1/runs/${runId}`, { method: "DELETE" });
  await until(() => double.running() === 0, 2_000);
  expect((await read(runId)).answer.startsWith(text)).toBe(true);
});

test("one of two listeners may leave", async () => {
  const controller = new AbortController();
  const response = await ask({ model: "house/endless" }, controller.signal);
  const runId = await firstWord(response, controller);
  const other = new AbortController();
  const second = await fetch(`${server.url}/api/v1/runs/${runId}/events`, { signal: other.signal });
  expect(await readUntilWord(second)).toBe(true);
  controller.abort();
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(double.running()).toBe(1);
  other.abort();
  await until(() => double.running() === 0, 2_000);
});

test("a finished run is replayed from any event on", async () => {
  const all = await readEvents(await ask({ model: "house/steady" }));
  expect(all.map(({ id }) => id)).toEqual(all.map((_, index) => index + 1));
  const runId = all[0]?.event.type === "run.started" ? all[0].event.runId : "";
  const url = `${server.url}/api/v1/runs/${runId}/events`;
  expect(await readEvents(await fetch(url))).toEqual(all);
  expect(await readEvents(await fetch(url, { headers: { "last-event-id": "3" } }))).toEqual(all.slice(3));
  expect(await readEvents(await fetch(`${url}?after=3`))).toEqual(all.slice(3));
  expect(await readEvents(await fetch(url, { headers: { "last-event-id": String(all.length) } }))).toEqual(
    [],
  );
});

test("an answer outlives the process: its end is told again under its old number", async () => {
  const run = await runOf(
    await ask({ model: "house/steady" }).then(
      async (response) => (await readEvents(response.clone()), response),
    ),
  );
  const store = openRunStore(`${server.settings.dataDir}/runs.sqlite`);
  const runs = createRuns(store, () => undefined);
  expect(runs.get(run.runId)).toEqual(run);
  const { log } = runs.join(run.runId);
  const events = await readEvents(sseResponse(log, { after: 2 }));
  expect(events).toEqual([{ id: run.lastEventId, event: { type: "run.completed", run } satisfies RunEvent }]);
  store.close();
});

test("a run that the process did not survive is failed, not running for ever", () => {
  const store = openRunStore(":memory:");
  const run = { ...emptyRun(), status: "running" as const };
  store.save(run);
  const found = createRuns(store, () => undefined).get(run.runId);
  expect(found).toMatchObject({ status: "failed", error: { code: "stream-interrupted", retryable: true } });
  store.close();
});

test("a slow reader costs no memory: it is served from the log, as fast as it reads", async () => {
  const log = createEventLog<{ type: "step"; text: string }>();
  const response = sseResponse(log, {});
  const reader = response.body?.getReader();
  for (let number = 0; number < 10_000; number += 1) log.append({ type: "step", text: String(number) });
  log.end();
  let pieces = 0;
  let text = "";
  const decoder = new TextDecoder();
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
    if (done) break;
    pieces += 1;
    text += decoder.decode(value, { stream: true });
  }
  expect(text.match(/^event: step$/gm)).toHaveLength(10_000);
  // Each read took one piece of the log; nothing had been encoded ahead.
  expect(pieces).toBe(Math.ceil(10_000 / 256));
});

test("a reader that stops reading does not make the service buffer the answer", async () => {
  const { port } = new URL(server.url);
  const socket = connect(Number(port), "127.0.0.1");
  await once(socket, "connect");
  const body = JSON.stringify({ ...QUESTION, model: "house/endless" });
  socket.pause();
  socket.write(
    `POST /api/v1/answer HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await until(() => double.running() === 1);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(double.running()).toBe(1);
  const left = performance.now();
  socket.destroy();
  await until(() => double.running() === 0, 2_000);
  expect(performance.now() - left).toBeLessThan(250);
});

test("silence is broken by a heartbeat", async () => {
  const log = createEventLog<{ type: "step" }>();
  const response = sseResponse(log, { heartbeatMs: 20 });
  const reader = response.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  expect(new TextDecoder().decode(value)).toBe(": heartbeat\n\n");
  await reader?.cancel();
});

test("steps of jobs come as events, to the end", async () => {
  const controller = new AbortController();
  const all = await fetch(`${server.url}/api/v1/jobs/events`, { signal: controller.signal });
  const { jobId } = await server.service.ingestor.submit(Buffer.from("A new gate."), { name: "new.txt" });
  const one = await (await fetch(`${server.url}/api/v1/jobs/${jobId}/events`)).text();
  expect(one.trimEnd().split("\n\n").at(-1)).toContain("event: job.completed");
  const reader = all.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (reader !== undefined && !text.includes("event: job.completed")) {
    text += decoder.decode((await reader.read()).value, { stream: true });
  }
  expect(text).toContain("new.txt");
  controller.abort();
});

function emptyRun(): Run {
  return {
    runId: "run_1",
    status: "completed",
    question: "why?",
    requestedMode: "auto",
    mode: "generate",
    conversationId: "conv_1",
    answer: "",
    notices: [],
    citations: [],
    quotes: [],
    sentences: [],
    hits: [],
    timings: {},
    attempts: [],
    createdAt: new Date().toISOString(),
    lastEventId: 0,
  };
}

test("who asks for the head of an event stream takes no place in the audience", async () => {
  const controller = new AbortController();
  const response = await ask({ model: "house/endless" }, controller.signal);
  const runId = await firstWord(response, controller);
  const head = await fetch(`${server.url}/api/v1/runs/${runId}/events`, { method: "HEAD" });
  expect(head.status).toBe(200);
  controller.abort();
  await until(() => double.running() === 0, 2_000);
  expect((await read(runId)).status).toBe("cancelled");
});

test.each([true, false])("who leaves before the run begins stops it (stream: %s)", async (stream) => {
  const { active } = server.service;
  const reading = vi.spyOn(active, "read");
  let ready: () => void = () => undefined;
  reading.mockImplementation(async () => {
    await new Promise<void>((resolve) => {
      ready = resolve;
    });
    return { order: [] };
  });
  try {
    const before = new Set((await list()).map(({ runId }) => runId));
    const controller = new AbortController();
    const asked = ask({ model: "house/endless", stream }, controller.signal);
    await until(() => reading.mock.calls.length > 0);
    controller.abort();
    await expect(asked).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 100));
    ready();
    await until(async () => {
      const runs = (await list()).filter(({ runId }) => !before.has(runId));
      return runs.length > 0 && runs.every(({ status }) => status === "cancelled");
    }, 3_000);
    expect(double.running()).toBe(0);
  } finally {
    reading.mockRestore();
  }
});

async function list(): Promise<Run[]> {
  const response = await fetch(`${server.url}/api/v1/runs?limit=100`);
  return ((await response.json()) as { runs: Run[] }).runs;
}
