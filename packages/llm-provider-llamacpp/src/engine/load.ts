import { LlmError } from "@enginehouse/llm-core";

import { readLlamaFault } from "../errors.ts";
import { assertFits } from "../models/fit.ts";
import type { EngineOptions, ModelRef } from "../wire.ts";
import type { Native } from "./llama.ts";
import { DEFAULT_WINDOW, openModel, type OpenModel } from "./model.ts";

/** The engine reports each tensor; so much more must be there before it is told on. */
const PROGRESS_STEP = 0.05;

/** A model's weights, once it is known that they fit. */
export async function loadModel(
  native: Native,
  ref: ModelRef,
  options: EngineOptions,
  signal: AbortSignal,
  onProgress: (progress: number) => void,
): Promise<OpenModel> {
  signal.throwIfAborted();
  const { llama } = native;
  await assertFits(
    {
      path: ref.path,
      contextSize: options.contextWindow ?? DEFAULT_WINDOW,
      sequences: options.parallel,
      gpuFreeBytes: llama.gpu === false ? 0 : (await llama.getVramState()).free,
    },
    { provider: "llamacpp", force: ref.force === true },
  );
  native.forgetWords();
  let told = 0;
  try {
    const model = await llama.loadModel({
      modelPath: ref.path,
      gpuLayers: options.gpuLayers,
      loadSignal: signal,
      onLoadProgress(progress) {
        if (progress - told < PROGRESS_STEP) return;
        told = progress;
        onProgress(progress);
      },
      ignoreMemorySafetyChecks: ref.force === true,
    });
    return openModel(native, model, options);
  } catch (error) {
    if (signal.aborted) throw error;
    const fault = readLlamaFault(error, { phase: "load", model: ref.id });
    if (fault.code !== "model-load-failed") throw fault;
    throw new LlmError("model-load-failed", `the model "${ref.id}" could not be loaded: ${fault.message}`, {
      phase: "load",
      retryable: false,
      hint:
        fault.hint ??
        "the file may be damaged or made for a newer llama.cpp: fetch it again, or update the provider",
      cause: native.lastWords() === undefined ? error : new Error(native.lastWords(), { cause: error }),
    });
  }
}
