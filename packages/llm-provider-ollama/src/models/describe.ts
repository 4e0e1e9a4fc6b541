import type { Capability, ModelDescription, ModelInfo, ModelTask } from "@enginehouse/llm-core";

import { numberIn, textIn, type WireDetails, type WireModel, type WireShow } from "../wire.ts";

export function infoOf(
  model: WireModel,
  shown: WireShow | undefined,
  loaded: boolean | undefined,
): ModelInfo {
  const capabilities = model.capabilities ?? (shown && capabilitiesOf(shown));
  return {
    id: model.name,
    task: taskOf(capabilities),
    sizeBytes: model.size,
    ...detailsOf(model.details),
    modifiedAt: model.modifiedAt,
    loaded,
  };
}

export function descriptionOf(id: string, shown: WireShow, entry: WireModel | undefined): ModelDescription {
  const capabilities = capabilitiesOf(shown);
  const told = (name: string): Capability => reported(capabilities, name);
  const chat = told("completion");
  const embedding = told("embedding");
  return {
    id,
    task: taskOf(capabilities),
    sizeBytes: entry?.size,
    ...detailsOf(shown.details),
    parameters: numberIn(shown.info, "general.parameter_count") ?? parametersIn(shown.details),
    modifiedAt: shown.modifiedAt ?? entry?.modifiedAt,
    contextWindow: trainedWindow(shown),
    maxInputTokens: embedding.value === "yes" ? trainedWindow(shown) : undefined,
    dimensions: embedding.value === "yes" ? ofArchitecture(shown, "embedding_length") : undefined,
    license: licenceOf(shown),
    capabilities: {
      chat,
      embedding,
      rerank: { value: "no", source: "declared" },
      tools: told("tools"),
      vision: told("vision"),
      reasoning: told("thinking"),
      // The server itself holds every chat model to a schema.
      jsonSchema: chat.value === "yes" ? { value: "yes", source: "declared" } : chat,
    },
  };
}

/** The longest window that the model was made for. */
export function trainedWindow(shown: WireShow): number | undefined {
  return ofArchitecture(shown, "context_length");
}

function ofArchitecture({ info }: WireShow, key: string): number | undefined {
  const architecture = textIn(info, "general.architecture");
  return architecture === undefined ? undefined : numberIn(info, `${architecture}.${key}`);
}

/** What the server tells; before 0.6.4 it told nothing, and decided by the same signs that are read here. */
export function capabilitiesOf(shown: WireShow): readonly string[] | undefined {
  if (shown.capabilities !== undefined) return shown.capabilities;
  const architecture = textIn(shown.info, "general.architecture");
  if (architecture === undefined) return undefined;
  if (`${architecture}.pooling_type` in shown.info) return ["embedding"];
  return [
    "completion",
    ...(/\.Tools\b/.test(shown.template ?? "") ? ["tools"] : []),
    ...(shown.hasProjector || `${architecture}.vision.block_count` in shown.info ? ["vision"] : []),
  ];
}

function reported(capabilities: readonly string[] | undefined, name: string): Capability {
  if (capabilities === undefined) return { value: "unknown" };
  return { value: capabilities.includes(name) ? "yes" : "no", source: "reported" };
}

function taskOf(capabilities: readonly string[] | undefined): ModelTask | undefined {
  if (capabilities?.includes("completion") === true) return "chat";
  return capabilities?.includes("embedding") === true ? "embedding" : undefined;
}

function detailsOf(details: WireDetails): Pick<ModelInfo, "quantization" | "parameters" | "family"> {
  const quantization = textIn(details, "quantization_level");
  return {
    quantization: quantization === "unknown" ? undefined : quantization,
    parameters: parametersIn(details),
    family: textIn(details, "family"),
  };
}

/** `22.57M`, `7.6B` */
function parametersIn(details: WireDetails): number | undefined {
  const [, number, unit] = /^([\d.]+)\s*([KMBT])$/i.exec(textIn(details, "parameter_size") ?? "") ?? [];
  if (number === undefined || unit === undefined) return undefined;
  return Math.round(Number(number) * (UNITS[unit.toUpperCase()] ?? 1));
}

const UNITS: Readonly<Record<string, number>> = { K: 1e3, M: 1e6, B: 1e9, T: 1e12 };

/** The name of the licence where the file has one, else the first line of its text: the text is pages long. */
function licenceOf({ info, license }: WireShow): string | undefined {
  const named = textIn(info, "general.license");
  if (named !== undefined) return named;
  return license
    ?.split("\n")
    .map((line) => line.trim())
    .find((line) => line !== "");
}
