import type { JsonObject } from "@enginehouse/llm-core";

import type { ModelScript } from "../../scenario.ts";
import type { Exchange } from "../http-fake.ts";
import { secondsNow } from "./chat.ts";
import type { OpenaiKind } from "./kind.ts";

const DEFAULT_SLOTS = 4;

export const modelList = ({ house }: Exchange, kind: OpenaiKind): JsonObject => {
  const data = house.models.map((model) => modelCard(model, kind));
  if (kind !== "llama-server") return { object: "list", data };
  return { models: house.models.map(nativeCard), object: "list", data };
};

export const modelCard = (model: ModelScript, kind: OpenaiKind): JsonObject => {
  const owner = { openai: "kit", "llama-server": "llamacpp", ollama: "library" }[kind];
  const card = { id: model.id, object: "model", created: secondsNow(), owned_by: owner };
  if (kind !== "llama-server") return card;
  return {
    ...card,
    aliases: [model.id],
    tags: [],
    meta: {
      vocab_type: 2,
      n_vocab: 3_072,
      n_ctx: model.window,
      n_ctx_train: model.window,
      n_embd: model.dimensions ?? 192,
      n_params: 2_803_776,
      size: model.sizeBytes ?? 1_000_000,
      ftype: model.quantization ?? "F16",
    },
  };
};

/** `/props` of llama-server: the window, the slots, and what the model's template knows. */
export const props = ({ house }: Exchange): JsonObject => {
  const model = house.models.find((one) => one.task === "chat") ?? house.models[0];
  const has = (feature: NonNullable<ModelScript["features"]>[number]): boolean =>
    model?.features?.includes(feature) ?? false;
  return {
    default_generation_settings: { params: { temperature: 0.8, top_k: 40 }, n_ctx: model?.window ?? 0 },
    total_slots: house.scenario.parallel ?? DEFAULT_SLOTS,
    model_alias: model?.id ?? "",
    model_ftype: model?.quantization ?? "F16",
    model_path: `${model?.id ?? "model"}.gguf`,
    modalities: { vision: has("vision"), video: false, audio: false },
    media_marker: "<__media__>",
    endpoint_slots: true,
    endpoint_props: false,
    endpoint_metrics: true,
    ui: true,
    ui_settings: {},
    chat_template: has("reasoning") ? "{{ messages }}<think></think>" : "{{ messages }}",
    chat_template_caps: {
      supports_object_arguments: has("tools"),
      supports_parallel_tool_calls: has("tools"),
      supports_preserve_reasoning: has("reasoning"),
      supports_reasoning_effort: false,
      supports_string_content: true,
      supports_system_role: true,
      supports_tool_calls: has("tools"),
      supports_tools: has("tools"),
      supports_typed_content: false,
    },
    bos_token: "<|endoftext|>",
    eos_token: "<|im_end|>",
    build_info: house.scenario.version ?? "b1-0c1e570",
    is_sleeping: false,
    cors_proxy_enabled: false,
  };
};

export const slots = ({ house, seen }: Exchange): JsonObject[] => {
  const window = house.models.find((one) => one.task === "chat")?.window ?? 0;
  return Array.from({ length: house.scenario.parallel ?? DEFAULT_SLOTS }, (_, id) => ({
    id,
    n_ctx: window,
    speculative: false,
    is_processing: id < seen.generating,
  }));
};

const nativeCard = (model: ModelScript): JsonObject => ({
  name: model.id,
  model: model.id,
  modified_at: "",
  size: "",
  digest: "",
  type: "model",
  description: "",
  tags: [""],
  capabilities: [model.task === "chat" ? "completion" : "embedding"],
  parameters: "",
  details: {
    parent_model: "",
    format: "gguf",
    family: "",
    families: [""],
    parameter_size: "",
    quantization_level: "",
  },
});
