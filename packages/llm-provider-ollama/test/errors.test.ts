import { generate, type LlmError } from "@enginehouse/llm-core";
import { describe, expect, test } from "vitest";

import { readErrorLine, readFault } from "../src/errors.ts";
import { createOllama } from "../src/index.ts";
import { end, piece, say, setUp } from "./ollama-server.ts";

const request = { model: "reference-model", messages: [{ role: "user", content: "hi" }] } as const;

const faultOf = (promise: Promise<unknown>): Promise<LlmError> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error as LlmError,
  );

describe("what a real server refuses has a code", () => {
  test.each([
    ["chat-model-missing", "model-not-found", false],
    ["ollama-0.13/chat-model-missing", "model-not-found", false],
    ["chat-model-empty", "invalid-request", false],
    ["chat-bad-json", "invalid-request", false],
    ["chat-no-body", "invalid-request", false],
    ["chat-field-wrong-type", "invalid-request", false],
    ["chat-option-wrong-type", "invalid-request", false],
    ["ollama-0.13/chat-option-wrong-type", "invalid-request", false],
    ["chat-think-level-wrong", "invalid-request", false],
    ["chat-think-unsupported", "unsupported", false],
    ["ollama-0.13/chat-think-unsupported", "unsupported", false],
    ["chat-tools-plain", "unsupported", false],
    ["chat-tools-unsupported", "unsupported", false],
    ["chat-with-embedder", "unsupported", false],
    ["chat-overflow-error", "context-overflow", false],
    ["ollama-0.13/chat-overflow-error", "context-overflow", false],
    ["chat-overflow-default", "context-overflow", false],
    ["chat-tool-call-cut", "output-invalid", undefined],
    ["queue-full", "unavailable", true],
    ["host-refused", "forbidden", false],
    ["cors-refused", "forbidden", false],
    ["path-missing", "unsupported", false],
    ["method-wrong", "unsupported", false],
  ] as const)("%s is %s", async (name, code, retryable) => {
    await using given = await setUp({ "POST /api/chat": name });
    const fault = await faultOf(generate(given.ollama, request));
    expect(fault).toMatchObject({ code, retryable, provider: "ollama", operation: "chat" });
    expect(fault.model).toBe("reference-model");
    expect(fault.status).toBeGreaterThanOrEqual(400);
    expect(given.server.of("/api/chat")).toHaveLength(1);
  });

  test.each([
    [500, "model requires more system memory (5.6 GiB) than is available (3.1 GiB)", "out-of-memory"],
    [500, "llama runner process has terminated: cudaMalloc failed: out of memory", "out-of-memory"],
    [500, "llama runner process has terminated: exit status 2", "model-load-failed"],
    [500, "timed out waiting for llama runner to start - progress 0.00", "model-load-failed"],
    [500, "an error was encountered while running the model: unexpected EOF", "provider-internal"],
    [500, "write /models/blobs/x: no space left on device", "disk-full"],
    [412, "The model you are attempting to pull requires a newer version of Ollama.", "unsupported"],
    [501, "This server does not support embeddings. Start it with `--embeddings`", "unsupported"],
    [404, 'model "x" not found, try pulling it first', "model-not-found"],
    [400, "unexpected EOF", "invalid-request"],
  ])("status %i with the words %j is %s", (status, error, code) => {
    expect(readFault(status, JSON.stringify({ error }), { model: "x" })?.code).toBe(code);
  });

  test("the memory that is missing is told in bytes", () => {
    const error = "model requires more system memory (5.6 GiB) than is available (512 MiB)";
    expect(readFault(500, JSON.stringify({ error }), {})?.figures).toEqual({
      needed: Math.round(5.6 * 1_024 ** 3),
      available: 512 * 1_024 ** 2,
    });
  });

  test.each([401, 402, 403, 429, 503])(
    "status %i is left to the status, which knows how long to wait",
    (status) => {
      expect(readFault(status, '{"error":"no"}', {})).toBeUndefined();
    },
  );

  test("a wording that nobody knows is the backend's fault, or left to the status", () => {
    expect(readFault(500, '{"error":"the moon is full"}', {})).toBeUndefined();
    expect(readErrorLine("the moon is full", {}, { phase: "stream" }).code).toBe("provider-internal");
  });
});

describe("an answer that breaks off", () => {
  test.each(["chat-runner-killed", "ollama-0.13/chat-runner-killed", "chat-runner-killed-rendered"])(
    "%s: the error line after status 200 is a fault, with what had arrived",
    async (name) => {
      await using given = await setUp({ "POST /api/chat": name });
      const fault = await faultOf(generate(given.ollama, request));
      expect(fault).toMatchObject({ code: "stream-interrupted", phase: "stream", retryable: true });
      expect(fault.partial?.text).toMatch(/^\[ ?\d/);
    },
  );

  test.each(["chat-repeats-rendered", "ollama-0.13/chat-repeats-rendered"])(
    "%s: a polite end without the last line is none",
    async (name) => {
      await using given = await setUp({ "POST /api/chat": name });
      const fault = await faultOf(generate(given.ollama, request));
      expect(fault).toMatchObject({ code: "stream-interrupted", hint: expect.stringContaining("repeats") });
      expect(fault.partial?.text).toContain("zzz");
    },
  );

  test.each([
    ["no JSON", "{oops", "invalid-response"],
    ["no object", "17", "invalid-response"],
    ["an error", { error: "the moon is full" }, "provider-internal"],
    ["an error that is no text", { error: { code: 7 } }, "provider-internal"],
    ["a nameless call", { message: { tool_calls: [{ function: {} }] } }, "invalid-response"],
  ])(
    "a line that is %s comes after the text before it, although both came at once",
    async (_, line, code) => {
      await using given = await setUp({
        "POST /api/chat": (_asked, response) => say(response, [piece("one "), piece("two"), line, end()]),
      });
      const fault = await faultOf(generate(given.ollama, request));
      expect(fault).toMatchObject({ code, partial: { text: "one two" } });
    },
  );

  test("a web page in place of an answer is called one", async () => {
    await using given = await setUp({
      "POST /api/chat": (_, response) =>
        response.writeHead(502, { "content-type": "text/html" }).end("<!doctype html>"),
    });
    const fault = await faultOf(generate(given.ollama, request));
    expect(fault).toMatchObject({ code: "unavailable", status: 502 });
    expect(fault.message).toContain("web page");
  });
});

test("where nothing listens, the hint says how to start and where to get Ollama", async () => {
  await using given = await setUp({});
  await given.server.close();
  const fault = await faultOf(generate(given.ollama, request));
  expect(fault).toMatchObject({ code: "unavailable", retryable: true });
  expect(fault.hint).toContain("ollama serve");
});

test("a key never shows in an error", async () => {
  await using given = await setUp(
    { "POST /api/chat": (_, response) => response.writeHead(401).end('{"error":"unauthorized"}') },
    { apiKey: "sk-very-secret-key" },
  );
  const fault = await faultOf(generate(given.ollama, request));
  expect(fault.code).toBe("unauthenticated");
  expect(given.server.of("/api/chat")[0]?.headers.authorization).toBe("Bearer sk-very-secret-key");
  expect(JSON.stringify(fault) + String(fault)).not.toContain("very-secret");
});

test("a closed provider says so", async () => {
  const ollama = createOllama({ baseUrl: "http://127.0.0.1:9" });
  await ollama.close();
  await ollama.close();
  expect(await faultOf(generate(ollama, request))).toMatchObject({ code: "shut-down" });
});
