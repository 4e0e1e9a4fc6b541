import { type Capability, LlmError, type ModelDescription, type ModelInfo } from "@enginehouse/llm-core";

import type { WireModel } from "./wire.ts";

export function modelInfo(model: WireModel): ModelInfo {
  return {
    id: model.name,
    task: model.task,
    sizeBytes: model.sizeBytes,
    quantization: model.quantization,
    loaded: model.loaded,
  };
}

export function describe(model: WireModel): ModelDescription {
  const feature = (name: string): Capability => reported(model.features.includes(name));
  return {
    ...modelInfo(model),
    contextWindow: model.task === "chat" ? model.window : undefined,
    maxInputTokens: model.task === "embedding" ? model.window : undefined,
    dimensions: model.dimensions,
    license: model.license,
    capabilities: {
      chat: reported(model.task === "chat"),
      embedding: reported(model.task === "embedding"),
      rerank: reported(model.task === "rerank"),
      tools: feature("tools"),
      vision: feature("vision"),
      reasoning: feature("reasoning"),
      jsonSchema: feature("json-schema"),
    },
  };
}

/** One for each text, in order, all of one length: what else the server sends is its fault, not the caller's data. */
export function vectorsOf(vectors: readonly (readonly number[])[], texts: number): Float32Array[] {
  const length = vectors[0]?.length ?? 0;
  const whole =
    vectors.length === texts &&
    length > 0 &&
    vectors.every((vector) => vector.length === length && vector.every(Number.isFinite));
  if (!whole) {
    throw new LlmError(
      "invalid-response",
      `the server's vectors are not ${texts} rows of equal, finite numbers`,
    );
  }
  return vectors.map((vector) => {
    const norm = Math.hypot(...vector) || 1;
    return Float32Array.from(vector, (value) => value / norm);
  });
}

const reported = (holds: boolean): Capability => ({ value: holds ? "yes" : "no", source: "reported" });
