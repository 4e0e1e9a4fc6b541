import { generate, type LlmError } from "@enginehouse/llm-core";
import { describe, expect, test } from "vitest";

import { copyModel } from "../src/index.ts";
import { type Handler, recording, say, setUp } from "./ollama-server.ts";

const faultOf = (promise: Promise<unknown>): Promise<LlmError> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error as LlmError,
  );
const request = { model: "reference-model", messages: [{ role: "user", content: "hi" }] } as const;

describe("the list", () => {
  test("tells what each model is for, how large it is, and whether it is loaded", async () => {
    await using given = await setUp({ "GET /api/tags": "tags" });
    const models = await given.ollama.listModels();
    expect(models.find(({ id }) => id === "reference-model:latest")).toEqual({
      id: "reference-model:latest",
      task: "chat",
      sizeBytes: 3_085_046,
      quantization: "Q8_0",
      parameters: 2_800_000,
      family: "llama",
      modifiedAt: new Date("2026-11-21T08:17:09.738454421Z"),
      loaded: true,
    });
    expect(models.find(({ id }) => id === "all-minilm:latest")).toMatchObject({
      task: "embedding",
      quantization: undefined,
      loaded: false,
    });
    expect(given.server.of("/api/show")).toHaveLength(0);
  });

  test("of an old server, which does not tell, is filled in model by model, once", async () => {
    await using given = await setUp({
      "GET /api/tags": "ollama-0.13/tags",
      "POST /api/show": (asked, response) => {
        const { chunks } = recording(
          asked.body.model.startsWith("all-minilm") ? "show-embedder" : "show",
        ).response;
        response.end(chunks.map(({ data }) => data).join(""));
      },
    });
    const models = await given.ollama.listModels();
    expect(models.find(({ id }) => id === "all-minilm:latest")?.task).toBe("embedding");
    expect(models.filter(({ task }) => task === "chat")).toHaveLength(models.length - 1);
    const asked = given.server.of("/api/show").length;
    expect(asked).toBe(models.length);
    await given.ollama.listModels();
    expect(given.server.of("/api/show")).toHaveLength(asked);
  });

  test("of nothing is empty, also where a server says null", async () => {
    await using given = await setUp({ "GET /api/tags": (_, response) => say(response, [{ models: null }]) });
    expect(await given.ollama.listModels()).toEqual([]);
  });

  test("from something else than Ollama is a fault", async () => {
    await using given = await setUp({ "GET /api/tags": (_, response) => say(response, [{ models: 7 }]) });
    expect(await faultOf(given.ollama.listModels())).toMatchObject({ code: "invalid-response" });
    await using page = await setUp({ "GET /api/tags": (_, response) => response.end("<html>hello</html>") });
    expect(await faultOf(page.ollama.listModels())).toMatchObject({ code: "invalid-response" });
  });
});

describe("a description", () => {
  test("of a chat model trusts what the server shows, not what it lists", async () => {
    await using given = await setUp({ "GET /api/tags": "tags" });
    expect(await given.ollama.describeModel("reference-model")).toMatchObject({
      id: "reference-model",
      task: "chat",
      contextWindow: 2_048,
      quantization: "Q8_0",
      sizeBytes: 3_085_046,
      family: "llama",
      capabilities: {
        chat: { value: "yes", source: "reported" },
        tools: { value: "yes", source: "reported" },
        reasoning: { value: "yes", source: "reported" },
        vision: { value: "no", source: "reported" },
        embedding: { value: "no", source: "reported" },
        jsonSchema: { value: "yes", source: "declared" },
        rerank: { value: "no", source: "declared" },
      },
    });
  });

  test("of an embedder has its dimensions and the longest text that it reads", async () => {
    await using given = await setUp({ "GET /api/tags": "tags", "POST /api/show": "show-embedder" });
    expect(await given.ollama.describeModel("all-minilm")).toMatchObject({
      task: "embedding",
      dimensions: 384,
      maxInputTokens: 512,
      parameters: 22_565_376,
      capabilities: { embedding: { value: "yes" }, chat: { value: "no" }, jsonSchema: { value: "no" } },
    });
  });

  test("by an old server, which tells no capabilities, goes by the signs that it went by itself", async () => {
    const shown = {
      template: "{{ if .Tools }}{{ .Tools }}{{ end }}{{ .Prompt }}",
      details: { parameter_size: "7.6B" },
      model_info: { "general.architecture": "qwen2", "qwen2.context_length": 32_768 },
      projector_info: {},
      license: "\n  Apache License\n  Version 2.0\n",
    };
    await using given = await setUp({
      "GET /api/tags": "tags",
      "POST /api/show": (_, response) => say(response, [shown]),
    });
    expect(await given.ollama.describeModel("x")).toMatchObject({
      contextWindow: 32_768,
      parameters: 7_600_000_000,
      license: "Apache License",
      capabilities: { tools: { value: "yes" }, vision: { value: "yes" }, chat: { value: "yes" } },
    });
  });

  test.each(["show-missing", "ollama-0.13/show-missing"])(
    "%s: an unknown model is not found",
    async (name) => {
      await using given = await setUp({ "GET /api/tags": "tags", "POST /api/show": name });
      expect(await faultOf(given.ollama.describeModel("no-such-model"))).toMatchObject({
        code: "model-not-found",
        status: 404,
      });
    },
  );
});

describe("loading", () => {
  test("tells the window that is really in force, and later calls keep to it", async () => {
    await using given = await setUp({
      "POST /api/chat": (asked, response, count) =>
        count === 0 ? say(response, [{ done: true, done_reason: "load" }]) : say(response, [{ done: true }]),
    });
    const loaded = await given.ollama.loadModel({
      model: "reference-model",
      contextWindow: 4_096,
      keepAlive: 600_000,
    });
    expect(loaded).toMatchObject({ id: "reference-model", contextWindow: 2_048, memoryBytes: 17_689_475 });
    await generate(given.ollama, request);
    const [load, chat] = given.server.of("/api/chat").map(({ body }) => body);
    expect(load).toEqual({
      model: "reference-model",
      messages: [],
      stream: false,
      truncate: false,
      shift: false,
      keep_alive: 600,
      options: { num_ctx: 4_096 },
    });
    // Another value of one of these would load the model anew, or let it go earlier.
    expect(chat).toMatchObject({ shift: false, keep_alive: 600, options: { num_ctx: 4_096 } });
  });

  test("an embedding model is loaded by an embedding of nothing, as it does not chat", async () => {
    await using given = await setUp({
      "POST /api/chat": "chat-with-embedder",
      "POST /api/embed": "embed-empty-list",
    });
    const loaded = await given.ollama.loadModel({ model: "reference-model", keepAlive: 60_000 });
    expect(loaded).toMatchObject({ id: "reference-model", memoryBytes: 17_689_475 });
    expect(given.server.of("/api/embed").map(({ body }) => body)).toEqual([
      { model: "reference-model", input: [], truncate: false, keep_alive: 60 },
    ]);
  });

  test("the window that was asked for is told where an old server does not tell its own", async () => {
    const models = [{ name: "reference-model:latest", digest: "d" }];
    await using given = await setUp({
      "POST /api/chat": "chat-load",
      "GET /api/ps": (_, response) => say(response, [{ models }]),
    });
    const load = async (contextWindow?: number) =>
      (await given.ollama.loadModel({ model: "reference-model", contextWindow })).contextWindow;
    expect(await load()).toBeUndefined();
    expect(await load(512)).toBe(512);
    // More than what the model was made for no server gives.
    expect(await load(4_096)).toBe(2_048);
  });

  test("an old server's report beyond what the model was made for is not believed", async () => {
    await using given = await setUp({
      "POST /api/chat": "ollama-0.13/chat-load",
      "GET /api/ps": (_, response) =>
        say(response, [{ models: [{ name: "reference-model:latest", context_length: 4_096, digest: "d" }] }]),
    });
    expect((await given.ollama.loadModel({ model: "reference-model" })).contextWindow).toBe(2_048);
  });

  test("a memory that does not suffice has its code", async () => {
    await using given = await setUp({
      "POST /api/chat": (_, response) =>
        say(
          response,
          [{ error: "model requires more system memory (5.6 GiB) than is available (3.1 GiB)" }],
          500,
        ),
    });
    expect(await faultOf(given.ollama.loadModel({ model: "reference-model" }))).toMatchObject({
      code: "out-of-memory",
      operation: "load",
    });
  });

  test("any other failure of it is one of the load", async () => {
    await using given = await setUp({
      "POST /api/chat": (_, response) => say(response, [{ error: "the file has a wrong magic number" }], 500),
    });
    const fault = await faultOf(given.ollama.loadModel({ model: "reference-model" }));
    expect(fault).toMatchObject({ code: "model-load-failed", status: 500 });
    expect(fault.message).toContain("wrong magic");
  });

  test("with keepAlive 0 would unload, and is refused", async () => {
    await using given = await setUp({ "POST /api/chat": "chat-load" }, { keepAliveMs: 0 });
    expect(await faultOf(given.ollama.loadModel({ model: "m", keepAlive: 0 }))).toMatchObject({
      code: "invalid-request",
    });
    await given.ollama.loadModel({ model: "m" });
    expect(given.server.of("/api/chat")[0]?.body).not.toHaveProperty("keep_alive");
  });
});

describe("unloading", () => {
  test("is asked for a model that is loaded", async () => {
    await using given = await setUp({ "POST /api/chat": "chat-unload" });
    await given.ollama.unloadModel("reference-model");
    expect(given.server.of("/api/chat")[0]?.body).toMatchObject({ messages: [], keep_alive: 0 });
  });

  test("is done already where nothing is loaded", async () => {
    await using given = await setUp({ "GET /api/ps": "ps-empty" });
    await given.ollama.unloadModel("reference-model");
    expect(given.server.of("/api/chat")).toHaveLength(0);
  });
});

describe("what is loaded", () => {
  test("has its window and its end", async () => {
    await using given = await setUp({});
    expect(await given.ollama.loadedModels()).toEqual([
      {
        id: "reference-model:latest",
        contextWindow: 2_048,
        memoryBytes: 17_689_475,
        gpuMemoryBytes: 0,
        expiresAt: new Date("2026-11-21T08:27:15.468562337Z"),
      },
    ]);
  });

  test("for good has no end", async () => {
    await using given = await setUp({ "GET /api/ps": "ps-forever" });
    expect((await given.ollama.loadedModels())[0]).not.toHaveProperty("expiresAt");
  });

  test("twice under one name is one model: the one that is in use", async () => {
    await using given = await setUp({ "GET /api/ps": "ollama-0.13/ps-loaded" });
    const loaded = await given.ollama.loadedModels();
    expect(loaded).toMatchObject([{ id: "reference-model-template:latest", contextWindow: 2_048 }]);
  });
});

describe("keepAlive", () => {
  test.each([
    [300_000, 300],
    [0, 0],
    [1_500, "1500ms"],
    [Number.POSITIVE_INFINITY, -1],
  ])("%i ms is sent as %j, with every request", async (keepAlive, sent) => {
    await using given = await setUp(
      { "POST /api/chat": "chat-stream", "POST /api/embed": "embed-one" },
      { keepAliveMs: 60_000 },
    );
    await generate(given.ollama, { ...request, keepAlive });
    await given.ollama.embed({ model: "all-minilm", texts: ["a"], keepAlive });
    await generate(given.ollama, request);
    const asked = [...given.server.of("/api/chat"), ...given.server.of("/api/embed")];
    expect(asked.map(({ body }) => body.keep_alive)).toEqual([sent, 60, sent]);
  });
});

describe("health", () => {
  test("tells the version", async () => {
    await using given = await setUp({});
    expect(await given.ollama.health()).toEqual({ status: "ok", version: "0.0.0" });
  });

  test("says how to start the server where it is down", async () => {
    await using given = await setUp({});
    await given.server.close();
    expect(await given.ollama.health()).toMatchObject({
      status: "down",
      hint: expect.stringMatching(/ollama serve.*install/),
    });
  });

  test("of a server that is too old asks for an update", async () => {
    await using given = await setUp({
      "GET /api/version": (_, response) => say(response, [{ version: "0.4.7" }]),
    });
    expect(await given.ollama.health()).toMatchObject({
      status: "degraded",
      version: "0.4.7",
      hint: expect.stringContaining("update"),
    });
  });

  test("of something else says that it is something else", async () => {
    await using given = await setUp({ "GET /api/version": "path-missing" });
    expect(await given.ollama.health()).toMatchObject({
      status: "down",
      hint: expect.stringContaining("Ollama"),
    });
  });
});

describe("deleting and copying", () => {
  test("a model is deleted; an unknown one is not found", async () => {
    await using given = await setUp({ "DELETE /api/delete": ["delete", "delete-missing"] });
    await given.ollama.deleteModel("created");
    expect(given.server.of("/api/delete")[0]?.body).toMatchObject({ name: "created" });
    expect(await faultOf(given.ollama.deleteModel("copied"))).toMatchObject({ code: "model-not-found" });
  });

  test("a model gets a second name", async () => {
    await using given = await setUp({ "POST /api/copy": "copy" });
    await copyModel({ baseUrl: given.server.url }, { from: "created", to: "copied" });
    expect(given.server.of("/api/copy")[0]?.body).toEqual({ source: "created", destination: "copied" });
  });
});

describe("a server that is none, or answers an error with status 200", () => {
  test("is told from one that has nothing", async () => {
    let reply: unknown;
    const answer: Handler = (_, response) => response.end(JSON.stringify(reply));
    await using given = await setUp({
      "GET /api/tags": answer,
      "GET /api/ps": answer,
      "POST /api/show": answer,
      "POST /api/chat": answer,
    });
    const { ollama } = given;
    const asking = {
      list: () => ollama.listModels(),
      loaded: () => ollama.loadedModels(),
      describe: () => ollama.describeModel("m"),
      unload: () => ollama.unloadModel("m"),
      load: () => ollama.loadModel({ model: "m" }),
    };
    reply = { error: "no space left on device" };
    for (const ask of Object.values(asking)) await expect(ask()).rejects.toMatchObject({ code: "disk-full" });
    reply = { hello: "world" };
    for (const name of ["list", "loaded", "describe"] as const)
      await expect(asking[name]()).rejects.toMatchObject({ code: "invalid-response" });
    reply = { models: null };
    expect(await ollama.listModels()).toEqual([]);
  });
});
