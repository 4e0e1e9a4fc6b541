import { type ChatEvent, type ChatRequest, generate, type LlmError } from "@enginehouse/llm-core";
import { describe, expect, test } from "vitest";

import { type Handler, pause, piece, type Routes, setUp } from "./ollama-server.ts";

const request: ChatRequest = { model: "reference-model", messages: [{ role: "user", content: "sing" }] };

/** The bar is 10 ms; the machine that tests run on may be busy. */
const SOON = 250;

/** Goes on until the client leaves. */
const endless: Handler = (_, response) => {
  const timer = setInterval(() => response.write(`${JSON.stringify(piece("la "))}\n`), 2);
  response.on("close", () => clearInterval(timer));
};
const silent: Handler = () => undefined;

const faultOf = (promise: Promise<unknown>): Promise<LlmError> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error as LlmError,
  );

async function readUntil(
  stream: AsyncIterable<ChatEvent>,
  until: (event: ChatEvent) => boolean,
): Promise<void> {
  for await (const event of stream) if (until(event)) return;
}

describe("an abort closes the socket", () => {
  test("in the middle of an answer, whose beginning goes with the error", async () => {
    await using given = await setUp({ "POST /api/chat": endless });
    const left = given.server.left("/api/chat");
    const abort = new AbortController();
    let at = 0;
    const reason = new Error("enough");
    const read = readUntil(given.ollama.stream(request, { signal: abort.signal }), ({ type }) => {
      if (type === "text-delta" && at === 0) {
        at = performance.now();
        abort.abort(reason);
      }
      return false;
    });
    const fault = await faultOf(read);
    expect(fault).toMatchObject({
      code: "aborted",
      cause: reason,
      partial: { text: expect.stringContaining("la ") },
    });
    expect((await left) - at).toBeLessThan(SOON);
  });

  test("before the headers", async () => {
    await using given = await setUp({ "POST /api/chat": silent });
    const left = given.server.left("/api/chat");
    const abort = new AbortController();
    const call = generate(given.ollama, request, { signal: abort.signal });
    while (given.server.of("/api/chat").length === 0) await pause(5);
    const at = performance.now();
    abort.abort();
    expect(await faultOf(call)).toMatchObject({ code: "aborted" });
    expect((await left) - at).toBeLessThan(SOON);
  });

  test("while the version is awaited, before anything is sent", async () => {
    await using given = await setUp({ "POST /api/chat": endless, "GET /api/version": silent });
    const abort = new AbortController();
    const call = generate(given.ollama, { ...request, reasoning: "low" }, { signal: abort.signal });
    while (given.server.of("/api/version").length === 0) await pause(5);
    const at = performance.now();
    abort.abort();
    expect(await faultOf(call)).toMatchObject({ code: "aborted" });
    expect(performance.now() - at).toBeLessThan(SOON);
    expect(given.server.of("/api/chat")).toEqual([]);
  });

  test("of nothing sends nothing", async () => {
    await using given = await setUp({ "POST /api/chat": endless });
    expect(await faultOf(generate(given.ollama, request, { signal: AbortSignal.abort() }))).toMatchObject({
      code: "aborted",
    });
    expect(given.server.asked).toEqual([]);
  });

  test("of one call leaves the other alone", async () => {
    await using given = await setUp({ "POST /api/chat": endless });
    const abort = new AbortController();
    const other = given.ollama.stream(request)[Symbol.asyncIterator]();
    const one = faultOf(generate(given.ollama, request, { signal: abort.signal }));
    await other.next();
    await pause(30);
    abort.abort();
    expect(await one).toMatchObject({ code: "aborted" });
    for (let count = 0; count < 5; count += 1) expect((await other.next()).done).toBe(false);
    await other.return?.();
  });

  test.each([
    ["an embedding", "POST /api/embed", "embed"],
    ["a load", "POST /api/chat", "load"],
    ["a list", "GET /api/tags", "list"],
    ["a description", "POST /api/show", "describe"],
  ] as const)("of %s", async (_, route, operation) => {
    const routes: Routes = { [route]: silent };
    await using given = await setUp(routes);
    const path = route.split(" ")[1] ?? "";
    const left = given.server.left(path);
    const abort = new AbortController();
    const options = { signal: abort.signal };
    const calls = {
      embed: () => given.ollama.embed({ model: "m", texts: ["a"] }, options),
      load: () => given.ollama.loadModel({ model: "m" }, options),
      list: () => given.ollama.listModels(options),
      describe: () => given.ollama.describeModel("m", options),
    };
    const call = faultOf(calls[operation]());
    while (given.server.of(path).length === 0) await pause(5);
    const at = performance.now();
    abort.abort();
    expect(await call).toMatchObject({ code: "aborted" });
    expect((await left) - at).toBeLessThan(SOON);
  });
});

test("leaving the loop closes the socket", async () => {
  await using given = await setUp({ "POST /api/chat": endless });
  const left = given.server.left("/api/chat");
  await readUntil(given.ollama.stream(request), ({ type }) => type === "text-delta");
  const at = performance.now();
  expect((await left) - at).toBeLessThan(SOON);
});

test("closing the provider ends what runs and leaves no socket", async () => {
  await using given = await setUp({ "POST /api/chat": endless });
  const call = faultOf(generate(given.ollama, request));
  while (given.server.of("/api/chat").length === 0) await pause(5);
  await given.ollama.close();
  expect(await call).toMatchObject({ code: "shut-down" });
  for (let wait = 0; given.server.openSockets() > 0 && wait < 100; wait += 1) await pause(10);
  expect(given.server.openSockets()).toBe(0);
});

test("closing right after the first piece leaves no socket either, whatever is asked beside the answer", async () => {
  await using given = await setUp({
    "POST /api/chat": endless,
    "GET /api/ps": silent,
    "GET /api/version": silent,
  });
  await readUntil(given.ollama.stream(request), ({ type }) => type === "text-delta");
  await given.ollama.close();
  await pause(100);
  expect(given.server.openSockets()).toBe(0);
});

describe("deadlines", () => {
  test("a server that says nothing is given up after firstEvent", async () => {
    await using given = await setUp({ "POST /api/chat": silent });
    const left = given.server.left("/api/chat");
    const fault = await faultOf(generate(given.ollama, request, { timeouts: { firstEvent: 60 } }));
    expect(fault).toMatchObject({ code: "timeout", phase: "first-event" });
    await left;
  });

  test("one that falls silent is given up after idle, with what it had said", async () => {
    await using given = await setUp({
      "POST /api/chat": (_, response) => response.write(`${JSON.stringify(piece("la"))}\n`),
    });
    const fault = await faultOf(generate(given.ollama, request, { timeouts: { idle: 60 } }));
    expect(fault).toMatchObject({ code: "timeout", phase: "stream", partial: { text: "la" } });
  });

  test("the answer does not wait for what is asked beside it", async () => {
    await using given = await setUp({
      "POST /api/chat": "chat-stream",
      "GET /api/ps": silent,
      "GET /api/version": silent,
    });
    const from = performance.now();
    const { context, text } = await generate(given.ollama, request);
    expect(text).not.toBe("");
    expect(context).toMatchObject({ window: undefined, truncated: "unknown" });
    expect(performance.now() - from).toBeLessThan(3_000);
    // It was waited for once.
    const again = performance.now();
    await generate(given.ollama, request);
    expect(performance.now() - again).toBeLessThan(900);
  });
});

test("a thousand calls leave no listener on a long-lived signal", async () => {
  await using given = await setUp({ "POST /api/chat": "chat-stream" });
  const { signal } = new AbortController();
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on("warning", note);
  for (let count = 0; count < 200; count += 1)
    await Promise.all(Array.from({ length: 5 }, () => generate(given.ollama, request, { signal })));
  process.off("warning", note);
  expect(warnings).toEqual([]);
}, 30_000);
