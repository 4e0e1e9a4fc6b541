import { execFile, spawn } from "node:child_process";
import { getEventListeners } from "node:events";
import { readFileSync } from "node:fs";
import { platform } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { type ChatRequest, generate } from "@enginehouse/llm-core";
import { describe, expect, test, vi } from "vitest";

import { createChildEngine } from "../src/engine/child-process.ts";
import { engineOptions } from "../src/settings.ts";
import type { ChatJob, Engine } from "../src/wire.ts";
import { createModelFolder } from "./model-folder.ts";
import { enginesOf, isAlive } from "./processes.ts";

const models = createModelFolder();
const endless = models.scripted("endless", [{ say: "la ", forever: true }], { padding: { width: 512 } });
const request: ChatRequest = { model: endless, messages: [{ role: "user", content: "sing" }] };
const linux = platform() === "linux";

const load = (engine: Engine, id: string): Promise<unknown> =>
  engine.ask("load", { model: { id, path: `${models.folder}/${id}.gguf` } }, new AbortController().signal);

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !holds(); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(holds()).toBe(true);
}

describe("a model file that is damaged", () => {
  const provider = models.provider();
  for (const damage of ["truncated", "random-bytes", "inconsistent"] as const) {
    test(`(${damage}) is a clear error, and the next call works`, async () => {
      const broken = models.damaged(`broken-${damage}`, damage);
      const fault = await generate(provider, { ...request, model: broken }).catch((error: unknown) => error);
      expect(fault).toMatchObject({
        code: "model-load-failed",
        provider: "llamacpp",
        model: broken,
        retryable: false,
      });
      expect((fault as { hint?: string }).hint).toBeTruthy();
      expect((await generate(provider, { ...request, maxTokens: 3 })).usage.outputTokens).toBe(3);
    });
  }

  test("what its crash printed is the error's cause, and is printed nowhere else", async () => {
    const printed = vi.spyOn(process.stderr, "write");
    const broken = models.damaged("crashing", "inconsistent");
    const fault = await generate(provider, { ...request, model: broken }).catch((error: unknown) => error);
    expect(String((fault as Error).cause)).toMatch(/GGML_ASSERT|token|abort/i);
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });
});

test(
  "killing the engine in the middle of an answer is a typed error, and the next call works",
  { skip: !linux },
  async () => {
    const provider = models.provider();
    const before = enginesOf();
    let text = "";
    const call = async (): Promise<void> => {
      for await (const event of provider.stream(request)) {
        if (event.type !== "text-delta") continue;
        text += event.text;
        if (text.length < 30) continue;
        for (const engine of enginesOf()) if (!before.includes(engine)) process.kill(engine, "SIGKILL");
      }
    };
    const fault = await call().catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: "stream-interrupted", retryable: true, phase: "stream" });
    expect((fault as { partial: { text: string } }).partial.text).toContain("la la");
    expect((await generate(provider, { ...request, maxTokens: 3 })).usage.outputTokens).toBe(3);
  },
);

test("all calls in a killed engine fail, each once", { skip: !linux }, async () => {
  const provider = models.provider({ parallel: 3 });
  const before = enginesOf();
  const calls = [1, 2, 3].map(() => generate(provider, request));
  await until(() => enginesOf().some((engine) => !before.includes(engine)));
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  for (const engine of enginesOf()) if (!before.includes(engine)) process.kill(engine, "SIGKILL");
  const outcomes = await Promise.allSettled(calls);
  for (const outcome of outcomes)
    expect(outcome).toMatchObject({ status: "rejected", reason: { retryable: true } });
});

test.each([
  ["CI", ""],
  ["CI", "woodpecker"],
  ["NODE_LLAMA_CPP_SKIP_DOWNLOAD", ""],
])("the engine starts with %s=%j, which its library cannot read", async (name, value) => {
  vi.stubEnv(name, value);
  try {
    expect((await generate(models.provider(), { ...request, maxTokens: 3 })).usage.outputTokens).toBe(3);
  } finally {
    vi.unstubAllEnvs();
  }
});

test("a variable that hides every GPU by being empty reaches the engine", { skip: !linux }, async () => {
  const before = enginesOf(process.pid);
  vi.stubEnv("CUDA_VISIBLE_DEVICES", "");
  try {
    await models.provider().loadModel({ model: endless });
  } finally {
    vi.unstubAllEnvs();
  }
  const [engine = 0] = enginesOf(process.pid).filter((pid) => !before.includes(pid));
  const variables = readFileSync(`/proc/${engine}/environ`, "utf8").split("\0");
  expect(variables).toContain("CUDA_VISIBLE_DEVICES=");
});

test("without a process of its own, what the engine could not read is named", async () => {
  const code = `
    import { createLlamacpp } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
    const provider = createLlamacpp({ modelsDir: ${JSON.stringify(models.folder)}, isolation: "none", gpu: false });
    const { code, message, hint } = await provider.loadModel({ model: "endless" }).catch((error) => error);
    console.log(JSON.stringify({ code, message, hint }));
  `;
  const flags = ["--conditions=@enginehouse/source", "--input-type=module", "-e", code];
  const env = { ...process.env, CI: "" };
  const { stdout } = await promisify(execFile)(process.execPath, flags, { env });
  expect(JSON.parse(stdout)).toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/node-llama-cpp could not be imported: .*"CI"/),
    hint: expect.stringContaining("environment variable"),
  });
});

test("closing leaves no process behind", { skip: !linux }, async () => {
  const before = enginesOf();
  const provider = models.provider();
  await provider.loadModel({ model: endless });
  const [own] = enginesOf().filter((engine) => !before.includes(engine));
  expect(own).toBeDefined();
  await provider.close();
  expect(isAlive(own ?? 0)).toBe(false);
});

test(
  "an engine that has nothing loaded ends by itself, and the next call starts another",
  { skip: !linux },
  async () => {
    const before = enginesOf();
    const options = {
      gpu: false,
      gpuLayers: 0,
      threads: 1,
      contextWindow: undefined,
      parallel: 1,
      keepAlive: 0,
    } as const;
    const engine = createChildEngine(options, 0);
    expect(await load(engine, endless)).toMatchObject({ id: endless });
    await until(() => enginesOf().every((id) => before.includes(id)));
    expect(await load(engine, endless)).toMatchObject({ id: endless });
    await engine.close();
  },
);

test(
  "an engine that was empty for a moment does not end while it has a model again",
  { skip: !linux },
  async () => {
    const linger = 100;
    const engine = createChildEngine({ ...engineOptions({ threads: 1, gpu: false }), parallel: 1 }, linger);
    const { signal } = new AbortController();
    // The next call is on its way while the engine still says that it is empty.
    await expect(load(engine, "missing")).rejects.toMatchObject({ code: "model-load-failed" });
    expect(await load(engine, endless)).toMatchObject({ id: endless });
    await new Promise((resolve) => setTimeout(resolve, linger * 4));
    expect(await engine.ask("loaded", undefined, signal)).toMatchObject([{ id: endless }]);
    await engine.close();
  },
);

test(
  "what cannot be sent to the engine is the caller's fault, and holds up no exit",
  { skip: !linux },
  async () => {
    const engine = createChildEngine(engineOptions({ threads: 1, gpu: false }), 0);
    const { signal } = new AbortController();
    const before = enginesOf();
    const texts = [(): string => "not a text"] as unknown as string[];
    const model = { id: endless, path: `${models.folder}/${endless}.gguf` };
    await expect(engine.ask("embed", { model, texts }, signal)).rejects.toMatchObject({
      code: "invalid-request",
      hint: expect.any(String),
    });
    const job = { model, texts } as unknown as ChatJob;
    await expect(engine.chat(job, signal).next()).rejects.toMatchObject({ code: "invalid-request" });
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    // Nothing runs in it, so that it counts as unused.
    await expect(load(engine, "missing")).rejects.toMatchObject({ code: "model-load-failed" });
    await until(() => enginesOf().every((id) => before.includes(id)));
    await engine.close();
  },
);

const APPLICATION = fileURLToPath(new URL("./application.ts", import.meta.url));
const FLAGS = ["--conditions=@enginehouse/source", APPLICATION];

test("an application that has its answer can exit, though its model is loaded and nothing was closed", async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...FLAGS, models.folder, endless, "answer"],
    { timeout: 20_000 },
  );
  expect(stdout).toMatch(/^la /);
});

test("an application that is killed leaves no engine behind", { skip: !linux }, async () => {
  const application = spawn(process.execPath, [...FLAGS, models.folder, endless, "endless"]);
  const { pid = 0 } = application;
  await new Promise((resolve) => application.stdout.once("data", resolve));
  const engines = enginesOf(pid);
  expect(engines).toHaveLength(1);
  application.kill("SIGKILL");
  await until(() => engines.every((engine) => !isAlive(engine)));
});
