import type {
  ChatRequest,
  ModelCapabilities,
  ModelDescription,
  ModelInfo,
  ModelTask,
} from "@enginehouse/llm-core";
import {
  type AnswerDecoder,
  createChatDecoder,
  createResponsesDecoder,
  type Quirks,
} from "@enginehouse/llm-openai-dialect";
import { givenText, withoutGiven } from "@enginehouse/llm-wire";

import type { EncodedCall } from "./encode.ts";
import { startingLate } from "./refusals/thoughts.ts";
import type { WireModel } from "./wire.ts";

export function createDecoder(
  request: ChatRequest,
  call: EncodedCall,
  quirks: Quirks,
  encodeAgain: () => EncodedCall,
): AnswerDecoder {
  const { api, names, warnings } = call;
  const create = api === "chat" ? createChatDecoder : createResponsesDecoder;
  const decoder = startingLate(
    create({ request, quirks, names, warnings }),
    call,
    () => encodeAgain().warnings,
  );
  return quirks.repeatsGiven ? withoutGiven(decoder, givenText(request)) : decoder;
}

/** The models of a list; `undefined` where the reply is none. */
export function decodeList(reply: unknown): readonly WireModel[] | undefined {
  // Most wrap their list, some do not.
  const list: unknown = isRecord(reply) ? reply["data"] : reply;
  if (!Array.isArray(list)) return undefined;
  const more = isRecord(reply) && Array.isArray(reply["models"]) ? (reply["models"] as unknown[]) : [];
  return list.filter(isModel).map((model) => {
    // llama.cpp lists each model twice, and tells only in the second list what it can do.
    const twin = more.find((one) => isRecord(one) && (one["name"] === model.id || one["model"] === model.id));
    return isRecord(twin) ? { ...twin, ...model } : model;
  });
}

export const isModel = (value: unknown): value is WireModel =>
  isRecord(value) && typeof value["id"] === "string";

export function decodeInfo(model: WireModel): ModelInfo {
  const meta = isRecord(model["meta"]) ? model["meta"] : {};
  const created = numberOf(model["created"]);
  const task = taskOf(model);
  const quantization = textOf(model["quantization"]) ?? textOf(meta["ftype"]);
  const state = textOf(model["state"]);
  return {
    id: model.id,
    ...(task !== undefined && { task }),
    ...known("sizeBytes", numberOf(meta["size"])),
    ...known("parameters", numberOf(meta["n_params"])),
    ...known("quantization", quantization),
    ...known("family", textOf(model["arch"])),
    ...known("modifiedAt", created === undefined ? undefined : new Date(created * 1_000)),
    ...known("loaded", state === undefined ? undefined : state === "loaded"),
  };
}

/** `props`: what llama.cpp tells of itself. */
export function decodeDescription(model: WireModel, props: unknown): ModelDescription {
  const meta = isRecord(model["meta"]) ? model["meta"] : {};
  const info = decodeInfo(model);
  const embeds = info.task === "embedding";
  const window = windowOf(model, meta, props);
  const top = isRecord(model["top_provider"]) ? model["top_provider"] : {};
  return {
    ...info,
    capabilities: capabilitiesOf(model, info.task, props),
    ...known("contextWindow", window),
    ...known(
      "maxOutputTokens",
      numberOf(model["max_completion_tokens"]) ?? numberOf(top["max_completion_tokens"]),
    ),
    ...(embeds && known("dimensions", numberOf(meta["n_embd"]))),
    ...(embeds && known("maxInputTokens", window)),
    ...known("license", textOf(model["license"])),
  };
}

/** The window in force goes before the one that the model was made for: no request can use more. */
function windowOf(model: WireModel, meta: WireRecord, props: unknown): number | undefined {
  const generation = isRecord(props) ? props["default_generation_settings"] : undefined;
  const inForce = isRecord(generation) ? numberOf(generation["n_ctx"]) : undefined;
  const told = WINDOWS.map((field) => numberOf(model[field])).find((value) => value !== undefined);
  return inForce ?? numberOf(meta["n_ctx"]) ?? told ?? numberOf(meta["n_ctx_train"]);
}

/** Every kind of server has a name of its own for it. */
const WINDOWS = [
  "loaded_context_length",
  "max_model_len",
  "context_length",
  "context_window",
  "max_context_length",
  "max_context_window",
];

function taskOf(model: WireModel): ModelTask | undefined {
  const type = textOf(model["type"]) ?? textOf(model["task"]) ?? "";
  const abilities = Array.isArray(model["capabilities"]) ? model["capabilities"] : [];
  if (/embed/i.test(type) || abilities.some((one) => String(one).startsWith("embed"))) return "embedding";
  if (/rerank/i.test(type)) return "rerank";
  if (/^(?:chat|llm|vlm|language|text-generation)$/i.test(type) || abilities.includes("completion"))
    return "chat";
  return isRecord(model["capabilities"]) && model["capabilities"]["completion_chat"] === true
    ? "chat"
    : undefined;
}

function capabilitiesOf(model: WireModel, task: ModelTask | undefined, props: unknown): ModelCapabilities {
  const told = (value: boolean | undefined): ModelCapabilities["chat"] =>
    value === undefined ? { value: "unknown" } : { value: value ? "yes" : "no", source: "reported" };
  const is = (wanted: ModelTask): boolean | undefined => (task === undefined ? undefined : task === wanted);
  const own = isRecord(model["capabilities"]) ? model["capabilities"] : {};
  const flag = (value: unknown): boolean | undefined => (typeof value === "boolean" ? value : undefined);
  const caps = isRecord(props) && isRecord(props["chat_template_caps"]) ? props["chat_template_caps"] : {};
  const modalities = isRecord(props) && isRecord(props["modalities"]) ? props["modalities"] : {};
  const parameters = Array.isArray(model["supported_parameters"]) ? model["supported_parameters"] : undefined;
  const architecture = isRecord(model["architecture"]) ? model["architecture"] : {};
  const inputs = Array.isArray(architecture["input_modalities"])
    ? architecture["input_modalities"]
    : undefined;
  return {
    chat: told(is("chat")),
    embedding: told(is("embedding")),
    rerank: told(is("rerank")),
    tools: told(
      flag(caps["supports_tools"]) ?? flag(own["function_calling"]) ?? parameters?.includes("tools"),
    ),
    vision: told(flag(modalities["vision"]) ?? flag(own["vision"]) ?? inputs?.includes("image")),
    reasoning: told(flag(own["reasoning"]) ?? parameters?.includes("reasoning")),
    jsonSchema: told(parameters?.includes("structured_outputs")),
  };
}

type WireRecord = Readonly<Record<string, unknown>>;

export const isRecord = (value: unknown): value is WireRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value > 0 ? value : undefined;

export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

const known = <Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } =>
  value === undefined ? {} : ({ [key]: value } as { [K in Key]?: Value });
