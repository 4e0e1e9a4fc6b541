import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { referenceModels } from "@enginehouse/llm-reference-model";
import { readGgufFileInfo } from "node-llama-cpp";
import { describe, expect, test } from "vitest";

interface Entry {
  readonly id: string;
  readonly format: "gguf" | "onnx";
  readonly task: "chat" | "embedding";
  readonly path: string;
  readonly bytes: number;
  readonly contextWindow: number;
  readonly dimensions?: number;
  readonly license: string;
  readonly note: string;
  readonly demonstration: boolean;
}

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest: { llmModels: Entry[]; files: string[] } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);
/** The width of the chat model. The manifest says it for embedders only, as the length of their vectors. */
const chatWidth = 256;
const entries = manifest.llmModels;

function sizeOf(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

function numberIn(value: unknown, path: string): unknown {
  return path.split(".").reduce((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
}

describe("the manifest tells the truth about the files", () => {
  test("it lists a chat model and an embedder, in both formats, for demonstration", () => {
    expect(entries.map(({ task, format }) => `${task} ${format}`)).toEqual([
      "chat gguf",
      "chat onnx",
      "embedding gguf",
      "embedding onnx",
    ]);
    expect(new Set(entries.map(({ id }) => id)).size).toBe(4);
    expect(entries.every(({ demonstration }) => demonstration)).toBe(true);
    expect(entries.every(({ license, note }) => license === "Apache-2.0" && note.length > 0)).toBe(true);
  });

  test("the package exports the same list", () => {
    expect(
      referenceModels.map(({ id, format, task, url }) => ({ id, format, task, path: fileURLToPath(url) })),
    ).toEqual(entries.map(({ id, format, task, path }) => ({ id, format, task, path: join(root, path) })));
  });

  test.each(entries)("$id has the bytes it says", ({ path, bytes }) => {
    expect(sizeOf(join(root, path))).toBe(bytes);
  });

  test.each(entries.filter(({ format }) => format === "gguf"))(
    "$id is what its header says",
    async (entry) => {
      const { metadata } = await readGgufFileInfo(join(root, entry.path));
      const { architecture } = metadata.general;
      expect(architecture).toBe(entry.task === "chat" ? "llama" : "bert");
      expect(numberIn(metadata, `${architecture}.context_length`)).toBe(entry.contextWindow);
      expect(numberIn(metadata, `${architecture}.embedding_length`)).toBe(entry.dimensions ?? chatWidth);
    },
  );

  test.each(entries.filter(({ format }) => format === "onnx"))("$id is what its config says", (entry) => {
    const read = (name: string): Record<string, unknown> =>
      JSON.parse(readFileSync(join(root, entry.path, name), "utf8"));
    const config = read("config.json");
    expect(config["max_position_embeddings"]).toBe(entry.contextWindow);
    expect(read("tokenizer_config.json")["model_max_length"]).toBe(entry.contextWindow);
    expect(config["hidden_size"]).toBe(entry.dimensions ?? chatWidth);
    expect(Object.keys(Object(numberIn(read("tokenizer.json"), "model.vocab"))).length).toBe(
      config["vocab_size"],
    );
  });
});

describe("the files are the ones that were measured", () => {
  const sums = readFileSync(join(root, "models/SHA256SUMS"), "utf8").trimEnd().split("\n");

  test.each(sums.map((line) => line.split(/ +/)))("%s is %s", (sum = "", name = "") => {
    const bytes = readFileSync(join(root, "models", name));
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(sum);
  });

  test("no file of a model is without a sum", () => {
    const files = readdirSync(join(root, "models"), { recursive: true, encoding: "utf8" })
      .map((name) => name.replaceAll("\\", "/"))
      .filter((name) => statSync(join(root, "models", name)).isFile())
      .filter((name) => !/(SHA256SUMS|LICENSE|NOTICE|MODEL_CARD\.md)$/.test(name));
    expect(new Set(files)).toEqual(new Set(sums.map((line) => line.split(/ +/)[1])));
  });
});

test.each(["chat", "embedder"])("%s comes with its licence, its origin and its card", (folder) => {
  const read = (name: string) => readFileSync(join(root, "models", folder, name), "utf8");
  expect(read("LICENSE")).toContain("Apache License");
  expect(read("NOTICE")).toContain("Training texts");
  expect(read("MODEL_CARD.md")).toContain("## What it cannot do");
});

test("the embedder names the model it is derived from", () => {
  expect(readFileSync(join(root, "models/embedder/NOTICE"), "utf8")).toContain(
    "sentence-transformers/all-MiniLM-L6-v2",
  );
});
