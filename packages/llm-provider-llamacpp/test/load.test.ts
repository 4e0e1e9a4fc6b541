import { join } from "node:path";

import { expect, test } from "vitest";

import type { Native } from "../src/engine/llama.ts";
import { loadModel } from "../src/engine/load.ts";
import { engineOptions } from "../src/settings.ts";
import { createModelFolder } from "./model-folder.ts";

const models = createModelFolder();
// Keys and values of so many tokens fill no machine.
const ENDLESS = 2_000_000_000;
const endless = models.random("endless", { width: 128, layers: 4, contextWindow: ENDLESS });

const path = join(models.folder, `${endless}.gguf`);

/** The engine up to where it would load the file: what it is asked for is told instead. */
function engine(gpu: "cuda" | false = false, free = 0) {
  const asked: unknown[] = [];
  const llama = {
    gpu,
    getVramState: () => Promise.resolve({ free }),
    loadModel(request: unknown) {
      asked.push(request);
      return Promise.reject(new Error("it goes no further"));
    },
  };
  const native = { llama, forgetWords: () => undefined, lastWords: () => undefined } as unknown as Native;
  const load = (force: boolean, gpuLayers?: number) =>
    loadModel(
      native,
      { id: endless, path, force },
      engineOptions({ contextWindow: ENDLESS, gpuLayers }),
      new AbortController().signal,
      () => undefined,
    );
  return { asked, load };
}

test("a model that can never fit is refused before it is loaded, with the figures", async () => {
  const refused = models.provider().loadModel({ model: endless, contextWindow: ENDLESS });
  await expect(refused).rejects.toMatchObject({
    code: "out-of-memory",
    phase: "load",
    retryable: false,
    figures: { needed: expect.any(Number), available: expect.any(Number) },
  });
  const { asked, load } = engine();
  await expect(load(false)).rejects.toMatchObject({ code: "out-of-memory" });
  expect(asked).toEqual([]);
});

test("forced, it is loaded all the same, and the engine's own check is off, too", async () => {
  const { asked, load } = engine();
  await expect(load(true)).rejects.toMatchObject({ code: "model-load-failed" });
  expect(asked).toMatchObject([{ modelPath: path, ignoreMemorySafetyChecks: true }]);
});

test("free memory of the GPU counts, and as many layers as were set go there: by default what fits", async () => {
  const { asked, load } = engine("cuda", Number.MAX_SAFE_INTEGER);
  for (const layers of [undefined, 3])
    await expect(load(false, layers)).rejects.toMatchObject({ code: "model-load-failed" });
  expect(asked).toMatchObject([
    { gpuLayers: "auto", ignoreMemorySafetyChecks: false },
    { gpuLayers: 3, ignoreMemorySafetyChecks: false },
  ]);
});
