import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { ModelFile } from "@enginehouse/llm-core";
import { referenceModels } from "@enginehouse/llm-reference-model";
import {
  writeDamagedGguf,
  writeEmbedderGguf,
  writeRandomGguf,
  writeRerankerGguf,
  writeScriptedGguf,
} from "@enginehouse/llm-reference-model/scripted";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createModelStore, type ModelStore, type ModelStoreOptions } from "../src/models.ts";
import { catalogue } from "../src/models/catalogue.ts";
import { defaultModelsDir } from "../src/models/models-dir.ts";
import { readReference } from "../src/models/reference.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "models-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const packaged: readonly ModelFile[] = referenceModels.flatMap(({ id, format, task, url }) =>
  format === "gguf"
    ? [
        {
          id,
          format,
          task,
          path: fileURLToPath(url),
          bytes: 1,
          license: "Apache-2.0",
          note: "a toy",
          demonstration: true,
          packageName: "@enginehouse/llm-reference-model",
        },
      ]
    : [],
);

function open(more: Partial<ModelStoreOptions> = {}): ModelStore {
  return createModelStore({
    name: "llamacpp",
    modelsDir: folder,
    packaged,
    hubUrl: "http://127.0.0.1:9",
    ...more,
  });
}

function put(path: string, write: (path: string) => unknown = writeRandomGguf): string {
  const full = join(folder, path);
  mkdirSync(join(full, ".."), { recursive: true });
  write(full);
  return full;
}

describe("the list", () => {
  test("has the models of packages even where there is no folder, those for demonstration last", async () => {
    const store = open({ modelsDir: join(folder, "not", "there") });
    expect((await store.list()).map(({ id, task, demonstration }) => ({ id, task, demonstration }))).toEqual([
      { id: "reference-model", task: "chat", demonstration: true },
      { id: "reference-embedder", task: "embedding", demonstration: true },
    ]);
    put("mine.gguf");
    expect((await open().list()).map(({ id }) => id)).toEqual([
      "mine",
      "reference-model",
      "reference-embedder",
    ]);
  });

  test("is no empty list where the folder is a file: the setting is wrong", async () => {
    writeRandomGguf(join(folder, "model.gguf"));
    const store = open({ modelsDir: join(folder, "model.gguf") });
    await expect(store.list()).rejects.toMatchObject({
      code: "forbidden",
      message: expect.stringContaining("ENOTDIR"),
      hint: expect.stringContaining("modelsDir"),
    });
  });

  test("has files of nested folders under their paths, and nothing that is no model", async () => {
    put("user/repository/model-Q8_0.gguf");
    put("a model with spaces.GGUF");
    put(".hidden.gguf");
    put("half.gguf.part");
    put("notes.txt", (path) => writeFileSync(path, "text"));
    expect((await open({ packaged: [] }).list()).map(({ id }) => id)).toEqual([
      "a model with spaces",
      "user/repository/model-Q8_0",
    ]);
  });

  test("has a damaged file with its problem, and the others beside it", async () => {
    put("good.gguf");
    put("empty.gguf", (path) => writeFileSync(path, ""));
    put("noise.gguf", (path) => writeDamagedGguf(path, "random-bytes"));
    put("short.gguf", (path) => writeDamagedGguf(path, "truncated"));
    put("part-00001-of-00002.gguf");
    const problems = Object.fromEntries(
      (await open({ packaged: [] }).list()).map(({ id, problem }) => [id, problem]),
    );
    expect(problems).toEqual({
      good: undefined,
      empty: expect.stringContaining("empty"),
      noise: expect.stringContaining("no GGUF"),
      short: expect.stringContaining("truncated"),
      part: expect.stringContaining("part-00002-of-00002.gguf is missing"),
    });
  });

  test("has every id once and each can be resolved, whatever names clash", async () => {
    put("reference-model.gguf");
    put("twice.gguf");
    put("twice.GGUF");
    put("twice-00001-of-00001.gguf");
    const store = open();
    const ids = (await store.list()).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const paths = await Promise.all(ids.map(async (id) => (await store.resolve(id)).path));
    expect(new Set(paths).size).toBe(ids.length);
    expect((await store.resolve("reference-model")).source).toBe("package");
    expect((await store.resolve("reference-model.gguf")).source).toBe("folder");
  });

  test("follows a link to a file kept elsewhere, and not one that leads in a circle", async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "elsewhere-"));
    writeRandomGguf(join(elsewhere, "kept.gguf"));
    symlinkSync(join(elsewhere, "kept.gguf"), join(folder, "linked.gguf"));
    symlinkSync(join(elsewhere, "gone.gguf"), join(folder, "dangling.gguf"));
    symlinkSync(folder, join(folder, "circle"));
    const store = open({ packaged: [] });
    expect((await store.list()).map(({ id }) => id)).toEqual(["linked"]);
    await store.delete("linked");
    expect(existsSync(join(elsewhere, "kept.gguf"))).toBe(true);
    expect(await store.list()).toEqual([]);
  });

  test("notices a file that has changed", async () => {
    const path = put("model.gguf", (to) => writeRandomGguf(to, { layers: 1 }));
    const store = open({ packaged: [] });
    const [before] = await store.list();
    writeRandomGguf(path, { layers: 3 });
    const [after] = await store.list();
    expect(after?.parameters).toBeGreaterThan(before?.parameters ?? 0);
  });
});

describe("a description", () => {
  test("of the bundled chat model says what it can do and from where that is known", async () => {
    expect(await open().describe("reference-model")).toMatchObject({
      id: "reference-model",
      task: "chat",
      quantization: "Q8_0",
      family: "llama",
      contextWindow: 2048,
      license: "Apache-2.0",
      demonstration: true,
      parameters: expect.any(Number),
      estimatedMemoryBytes: expect.any(Number),
      capabilities: {
        chat: { value: "yes", source: "declared" },
        embedding: { value: "no" },
        tools: { value: "yes", source: "reported" },
        reasoning: { value: "yes", source: "reported" },
        jsonSchema: { value: "yes", source: "declared" },
        vision: { value: "no", source: "declared" },
      },
    });
  });

  test("of an embedder has its dimensions and the longest text", async () => {
    put("embedder.gguf", (path) => writeEmbedderGguf(path));
    const { capabilities, dimensions, maxInputTokens, contextWindow } = await open().describe("embedder");
    expect(capabilities).toMatchObject({
      chat: { value: "no", source: "reported" },
      embedding: { value: "yes", source: "reported" },
      tools: { value: "no" },
      jsonSchema: { value: "no" },
    });
    expect(dimensions).toBeGreaterThan(0);
    expect(maxInputTokens).toBe((contextWindow ?? 0) - 1);
  });

  test("of a reranker says so", async () => {
    put("ranker.gguf", (path) => writeRerankerGguf(path, { scores: { good: 1 } }));
    expect(await open().describe("ranker")).toMatchObject({
      task: "rerank",
      capabilities: { rerank: { value: "yes" }, embedding: { value: "no" } },
    });
  });

  test("knows tools and thoughts from the template's text, and does not guess where there is none", async () => {
    put("plain.gguf", (path) => writeRandomGguf(path, { template: "{{ messages[0].content }}" }));
    put("tools.gguf", (path) =>
      writeRandomGguf(path, { template: "{% if tools %}{{ tools | tojson }}{% endif %}" }),
    );
    put("bare.gguf", (path) => writeRandomGguf(path, { template: "" }));
    const store = open();
    const of = async (id: string) => (await store.describe(id)).capabilities;
    expect(await of("plain")).toMatchObject({ tools: { value: "no" }, reasoning: { value: "no" } });
    expect(await of("tools")).toMatchObject({ tools: { value: "yes" }, reasoning: { value: "no" } });
    expect(await of("bare")).toMatchObject({
      chat: { value: "unknown" },
      tools: { value: "unknown" },
      reasoning: { value: "unknown" },
    });
  });

  test("of an unknown model is model-not-found with what there is, of a damaged one says what is wrong", async () => {
    put("noise.gguf", (path) => writeDamagedGguf(path, "random-bytes"));
    const store = open();
    await expect(store.describe("llama3")).rejects.toMatchObject({
      code: "model-not-found",
      message: expect.stringContaining("reference-model"),
      hint: expect.stringContaining(folder),
    });
    await expect(store.describe("noise")).rejects.toMatchObject({
      code: "model-load-failed",
      model: "noise",
      hint: expect.any(String),
    });
    await expect(store.resolve("noise")).rejects.toMatchObject({ code: "model-load-failed" });
  });

  test("of a reference that is not here yet is model-not-installed", async () => {
    await expect(open().describe("hf:user/repository/model.gguf")).rejects.toMatchObject({
      code: "model-not-installed",
      hint: "Pull it first.",
    });
  });
});

describe("names", () => {
  test("with the ending, and the reference it was pulled by, mean the same model", async () => {
    const path = put("user/repository/model-Q8_0.gguf");
    put("user/repository/model-Q4_0.gguf");
    const store = open();
    const id = "user/repository/model-Q8_0";
    for (const name of [id, `${id}.gguf`, `hf:${id}.gguf`, "hf:user/repository:Q8_0"]) {
      expect(await store.resolve(name)).toMatchObject({ id, path });
    }
    await expect(store.resolve("hf:user/repository:Q2_K")).rejects.toMatchObject({
      code: "model-not-installed",
    });
  });

  test.each(["../secret", "/etc/passwd", "..", "", "user/../../x", "C:\\x.gguf"])(
    "that lead elsewhere (%j) name nothing",
    async (name) => {
      writeRandomGguf(join(folder, "..", "secret.gguf"));
      await expect(open().resolve(name)).rejects.toMatchObject({ code: "model-not-found" });
      rmSync(join(folder, "..", "secret.gguf"));
    },
  );
});

describe("deleting", () => {
  test("removes all parts and says how much that freed", async () => {
    const first = put("big-00001-of-00002.gguf");
    const second = put("big-00002-of-00002.gguf");
    const size = readFileSync(first).length + readFileSync(second).length;
    const store = open();
    expect(await store.delete("big")).toEqual({ freedBytes: size });
    expect([first, second].map((path) => existsSync(path))).toEqual([false, false]);
    await expect(store.delete("big")).rejects.toMatchObject({ code: "model-not-found" });
  });

  test("of a damaged file works: that is what it is for", async () => {
    const path = put("noise.gguf", (to) => writeDamagedGguf(to, "random-bytes"));
    await open().delete("noise");
    expect(existsSync(path)).toBe(false);
  });

  test("never touches the model of a package", async () => {
    await expect(open().delete("reference-model")).rejects.toMatchObject({
      code: "invalid-request",
      hint: expect.stringContaining("npm uninstall @enginehouse/llm-reference-model"),
    });
    expect(existsSync(packaged[0]?.path ?? "")).toBe(true);
  });

  test("removes what a broken pull has left", async () => {
    const part = put("user/repository/model.gguf.part", (path) => writeFileSync(path, Buffer.alloc(1234)));
    expect(await open().delete("hf:user/repository/model.gguf")).toEqual({ freedBytes: 1234 });
    expect(existsSync(part)).toBe(false);
  });
});

test("the folder is the user's data folder of the system, unless the environment names one", () => {
  const of = (platform: NodeJS.Platform, env: Record<string, string> = {}): string =>
    defaultModelsDir(env, platform, "/home/ada");
  expect(of("linux")).toBe("/home/ada/.local/share/enginehouse/models");
  expect(of("darwin")).toBe("/home/ada/Library/Application Support/enginehouse/models");
  expect(of("win32", { LOCALAPPDATA: "/local" })).toBe("/local/enginehouse/models");
  expect(of("linux", { ENGINEHOUSE_DATA_DIR: "/data" })).toBe("/data/models");
});

test("every entry of the catalogue is a reference that can be pulled, with a licence and figures that fit together", () => {
  for (const entry of catalogue()) {
    expect(readReference(entry.reference)).toMatchObject({ kind: "hub" });
    expect(entry.minMemoryBytes).toBeGreaterThan(entry.sizeBytes);
    expect(entry.license).not.toBe("");
  }
  expect(new Set(catalogue().map(({ task }) => task))).toEqual(new Set(["chat", "embedding"]));
});

test("a scripted model counts as a chat model", async () => {
  put("script.gguf", (path) => writeScriptedGguf(path, { script: [{ say: "Hello." }] }));
  expect(await open().describe("script")).toMatchObject({
    task: "chat",
    capabilities: { chat: { value: "yes", source: "reported" } },
  });
});
