import { availableParallelism } from "node:os";
import { resolve } from "node:path";

import { expect, test } from "vitest";

import { defaultThreads, engineOptions, storeOptions } from "../src/settings.ts";

test("half of the processors work, at least one and at most eight", () => {
  expect([1, 2, 3, 4, 8, 16, 64].map(defaultThreads)).toEqual([1, 1, 1, 2, 4, 8, 8]);
});

test("settings win over the environment, which wins over the defaults", () => {
  const env = { LLAMACPP_MODELS_DIR: "/env", HF_TOKEN: "of-env", HF_ENDPOINT: "https://mirror.example" };
  expect(storeOptions({}, env)).toMatchObject({
    modelsDir: "/env",
    hubToken: "of-env",
    hubUrl: "https://mirror.example",
  });
  expect(storeOptions({ modelsDir: "/own", hubToken: "own" }, env)).toMatchObject({
    modelsDir: "/own",
    hubToken: "own",
  });
  expect(storeOptions({}, {}).modelsDir).toMatch(/enginehouse.models$/);
  expect(storeOptions({}, { ENGINEHOUSE_DATA_DIR: "/data" }).modelsDir).toMatch(/^.data.models$/);
});

test("an empty variable is none, and a folder stays the one that it was when the working directory changes", () => {
  const blank = { LLAMACPP_MODELS_DIR: "", ENGINEHOUSE_DATA_DIR: " ", HF_TOKEN: "", HF_ENDPOINT: " " };
  expect(storeOptions({}, blank)).toEqual(storeOptions({}, {}));
  expect(storeOptions({ modelsDir: "models" }, {}).modelsDir).toBe(resolve("models"));
  expect(storeOptions({}, { ENGINEHOUSE_DATA_DIR: "data" }).modelsDir).toBe(resolve("data", "models"));
});

test("an engine starts with two chats at once and keeps models for five minutes", () => {
  expect(engineOptions({})).toMatchObject({
    gpu: "auto",
    gpuLayers: "auto",
    threads: defaultThreads(availableParallelism()),
    parallel: 2,
    keepAlive: 300_000,
  });
});
