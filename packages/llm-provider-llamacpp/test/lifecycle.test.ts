import { renameSync } from "node:fs";
import { join } from "node:path";

import { type ChatRequest, generate } from "@enginehouse/llm-core";
import { expect, test } from "vitest";

import { createEngine } from "../src/engine/engine.ts";
import { engineOptions } from "../src/settings.ts";
import { createModelFolder } from "./model-folder.ts";

const models = createModelFolder();
const talker = models.scripted("talker", [{ say: "la ", forever: true }]);
const request: ChatRequest = { model: talker, messages: [{ role: "user", content: "sing" }], maxTokens: 5 };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await holds()) return;
    await pause(20);
  }
  throw new Error("it never came to hold");
}

test("loading tells the real window and memory, and loading again changes nothing", async () => {
  const provider = models.provider();
  const [one, two] = await Promise.all([
    provider.loadModel({ model: talker }),
    provider.loadModel({ model: talker }),
  ]);
  expect(one).toMatchObject({ id: talker, contextWindow: 2048, gpuMemoryBytes: 0 });
  expect(one.memoryBytes).toBeGreaterThan(100_000);
  expect(two).toMatchObject({ id: talker, contextWindow: 2048 });
  expect(await provider.loadedModels()).toHaveLength(1);
});

test("another window loads the model anew, and chats then have that window", async () => {
  const provider = models.provider();
  await provider.loadModel({ model: talker });
  expect(await provider.loadModel({ model: talker, contextWindow: 512 })).toMatchObject({
    contextWindow: 512,
  });
  expect((await generate(provider, request)).context.window).toBe(512);
  expect(await provider.loadedModels()).toHaveLength(1);
});

test("a window or a keepAlive that is none is refused", async () => {
  const provider = models.provider();
  for (const contextWindow of [0, -5, 100.5, Number.NaN]) {
    await expect(provider.loadModel({ model: talker, contextWindow })).rejects.toMatchObject({
      code: "invalid-request",
      message: expect.stringContaining("contextWindow"),
    });
  }
  const keepAlive = "5m" as unknown as number;
  const refused = { code: "invalid-request", message: expect.stringContaining("keepAlive") };
  await expect(provider.loadModel({ model: talker, keepAlive })).rejects.toMatchObject(refused);
  await expect(generate(provider, { ...request, keepAlive })).rejects.toMatchObject(refused);
  await expect(provider.embed({ model: talker, texts: ["a"], keepAlive: NaN })).rejects.toMatchObject(
    refused,
  );
});

test("a model whose file was replaced is loaded anew", async () => {
  const provider = models.provider();
  const replaced = models.scripted("replaced", [{ say: "old" }]);
  expect((await generate(provider, { ...request, model: replaced })).text).toBe("old");
  models.scripted("replacement", [{ say: "new" }]);
  renameSync(join(models.folder, "replacement.gguf"), join(models.folder, "replaced.gguf"));
  expect((await generate(provider, { ...request, model: replaced })).text).toBe("new");
  expect(await provider.loadedModels()).toHaveLength(1);
});

test("a window beyond what the model was made for is cut to that, and asking again loads nothing", async () => {
  const engine = createEngine(engineOptions({ threads: 1, gpu: false }));
  const job = { model: { id: talker, path: `${models.folder}/${talker}.gguf`, contextWindow: 100_000 } };
  const heard: unknown[] = [];
  const load = () => engine.ask("load", job, new AbortController().signal, (event) => heard.push(event));
  expect(await load()).toMatchObject({ contextWindow: 2048 });
  expect(heard).toContainEqual(expect.objectContaining({ status: "loading" }));
  heard.length = 0;
  expect(await load()).toMatchObject({ contextWindow: 2048 });
  expect(heard).toEqual([]);
  await engine.close();
});

test("unloading frees the model; one that is not loaded is no error", async () => {
  const provider = models.provider();
  await generate(provider, request);
  await provider.unloadModel(talker);
  expect(await provider.loadedModels()).toEqual([]);
  await provider.unloadModel(talker);
  expect((await generate(provider, request)).usage.outputTokens).toBe(5);
});

test("unloading waits for the answer that is being written", async () => {
  const provider = models.provider();
  const answer = generate(provider, { ...request, maxTokens: 300 });
  await until(async () => (await provider.loadedModels()).length === 1);
  await provider.unloadModel(talker);
  expect((await answer).usage.outputTokens).toBe(300);
  expect(await provider.loadedModels()).toEqual([]);
});

test("keepAlive goes with each request: 0 unloads after the answer, a number after so long, Infinity never", async () => {
  const provider = models.provider();
  await generate(provider, { ...request, keepAlive: 0 });
  await until(async () => (await provider.loadedModels()).length === 0);
  await generate(provider, { ...request, keepAlive: 150 });
  const [kept] = await provider.loadedModels();
  expect(kept?.expiresAt?.getTime()).toBeGreaterThan(Date.now() - 1_000);
  await until(async () => (await provider.loadedModels()).length === 0);
  await generate(provider, { ...request, keepAlive: Number.POSITIVE_INFINITY });
  const [stays] = await provider.loadedModels();
  expect(stays?.id).toBe(talker);
  expect(stays?.expiresAt).toBeUndefined();
});

test("closing ends running answers, and later calls are refused", async () => {
  const provider = models.provider();
  const running = generate(provider, { ...request, maxTokens: 1_900 });
  await until(async () => (await provider.loadedModels()).length === 1);
  const [ended] = await Promise.allSettled([running, provider.close(), provider.close()]);
  expect(ended).toMatchObject({ status: "rejected", reason: { code: "shut-down" } });
  await expect(generate(provider, request)).rejects.toMatchObject({ code: "shut-down" });
});

test("the engine in this process does the same", async () => {
  const provider = models.provider({ isolation: "none" });
  const answer = await generate(provider, request);
  expect(answer).toMatchObject({ finishReason: { unified: "length" }, usage: { outputTokens: 5 } });
  const abort = new AbortController();
  const endless = generate(provider, { ...request, maxTokens: 1_900 }, { signal: abort.signal });
  setTimeout(() => abort.abort(), 30);
  await expect(endless).rejects.toMatchObject({ code: "aborted" });
  await provider.unloadModel(talker);
  expect(await provider.loadedModels()).toEqual([]);
  await provider.close();
});

test("health tells the version and loads nothing", async () => {
  const health = await models.provider().health();
  expect(health).toMatchObject({ status: "ok", version: expect.stringMatching(/^node-llama-cpp \d/) });
});

test("settings that are wrong are refused at the first call, each with its path", async () => {
  const provider = models.provider({ parallel: 0, thread: 3 } as never);
  const fault = await generate(provider, request).catch((error: unknown) => error);
  expect(fault).toMatchObject({ code: "invalid-settings" });
  expect((fault as Error).message).toMatch(/parallel/);
  expect((fault as Error).message).toMatch(/thread/);
});

test("an option of the provider that does not exist is refused", async () => {
  const odd: ChatRequest = { ...request, providerOptions: { llamacpp: { layers: 3 }, other: { x: 1 } } };
  await expect(generate(models.provider(), odd)).rejects.toMatchObject({ code: "invalid-request" });
});

test("a path names a model only where the settings allow it", async () => {
  const path = `${models.folder}/${talker}.gguf`;
  const byPath = { ...request, model: path };
  await expect(generate(models.provider(), byPath)).rejects.toMatchObject({ code: "forbidden" });
  expect((await generate(models.provider({ allowPaths: true }), byPath)).usage.outputTokens).toBe(5);
});
