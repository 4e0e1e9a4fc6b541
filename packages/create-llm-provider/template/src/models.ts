import type { Capability, ModelDescription, ModelInfo } from "@enginehouse/llm-core";

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

const reported = (holds: boolean): Capability => ({ value: holds ? "yes" : "no", source: "reported" });
