import type { Quirks } from "@enginehouse/llm-openai-dialect";

/** What is known of one kind of server. */
export interface Preset {
  /** Where it listens, unless it is told otherwise. */
  readonly address?: string | undefined;
  /** Whether it answers nobody without a key. */
  readonly needsKey?: boolean | undefined;
  /** The environment variable that is read for its key, when the settings have none. */
  readonly keyVariable?: string | undefined;
  /** What `api: "auto"` takes. Default `chat`. */
  readonly api?: "chat" | "responses" | undefined;
  readonly quirks: Partial<Quirks>;
  /** How to come by one that answers. */
  readonly hint: string;
  /** Where it tells its version: a path of the server, above its `/v1`, and the field of the reply. */
  readonly version?: VersionPlace | undefined;
}

export interface VersionPlace {
  readonly path: string;
  readonly field: string;
}

const VLLM_OPTIONS = { topK: "top_k", minP: "min_p", repeatPenalty: "repetition_penalty" } as const;
const LLAMA_OPTIONS = { topK: "top_k", minP: "min_p", repeatPenalty: "repeat_penalty" } as const;
const VERSION: VersionPlace = { path: "/version", field: "version" };
const PROPS: VersionPlace = { path: "/props", field: "build_info" };

export const PRESETS = {
  openai: {
    address: "https://api.openai.com/v1",
    needsKey: true,
    keyVariable: "OPENAI_API_KEY",
    api: "responses",
    quirks: {
      maxTokensField: "max_completion_tokens",
      thinkTags: false,
      refusesOverflow: true,
      embedBatch: 2_048,
      encryptedReasoning: true,
    },
    hint: "set apiKey or OPENAI_API_KEY to a key of your account",
  },
  vllm: {
    address: "http://127.0.0.1:8000/v1",
    quirks: {
      extraOptions: VLLM_OPTIONS,
      reasoning: "template",
      reasoningBack: "reasoning",
      refusesOverflow: true,
    },
    hint: "start it with `vllm serve MODEL`",
    version: VERSION,
  },
  "tensorrt-llm": {
    address: "http://127.0.0.1:8000/v1",
    quirks: { extraOptions: VLLM_OPTIONS, reasoning: "template", base64: false },
    hint: "start it with `trtllm-serve MODEL`",
    version: VERSION,
  },
  triton: {
    address: "http://127.0.0.1:9000/v1",
    quirks: { reasoning: false, base64: false },
    hint: "start its OpenAI-compatible frontend with `python3 openai_frontend/main.py --model-repository MODELS`",
  },
  sglang: {
    address: "http://127.0.0.1:30000/v1",
    quirks: {
      extraOptions: VLLM_OPTIONS,
      reasoning: "template",
      reasoningBack: "reasoning_content",
      base64: false,
    },
    hint: "start it with `python3 -m sglang.launch_server --model-path MODEL`",
    version: { path: "/get_server_info", field: "version" },
  },
  localai: {
    address: "http://127.0.0.1:8080/v1",
    quirks: { extraOptions: LLAMA_OPTIONS, doneEnds: true, base64: false },
    hint: "start it with `local-ai run MODEL`",
    version: VERSION,
  },
  "llama-server": {
    address: "http://127.0.0.1:8080/v1",
    quirks: {
      extraOptions: LLAMA_OPTIONS,
      progress: true,
      // It holds a schema, and `json_object` not at all.
      jsonObject: false,
      repeatsGiven: true,
      responsesFormat: "response_format",
      reasoning: "template",
      reasoningBack: "reasoning_content",
    },
    hint: "start it with `llama-server -m MODEL.gguf --jinja --port 8080`",
    version: PROPS,
  },
  "lm-studio": {
    address: "http://127.0.0.1:1234/v1",
    quirks: {
      extraOptions: { topK: "top_k", repeatPenalty: "repeat_penalty" },
      jsonObject: false,
      namedTool: false,
      keepAlive: "ttl",
      base64: false,
    },
    hint: "start it with `lms server start`",
  },
  openrouter: {
    address: "https://openrouter.ai/api/v1",
    needsKey: true,
    keyVariable: "OPENROUTER_API_KEY",
    quirks: { extraOptions: VLLM_OPTIONS, reasoning: "object", reasoningBack: "reasoning", base64: false },
    hint: "set apiKey or OPENROUTER_API_KEY",
  },
  groq: {
    address: "https://api.groq.com/openai/v1",
    needsKey: true,
    keyVariable: "GROQ_API_KEY",
    quirks: { maxTokensField: "max_completion_tokens", reasoningBack: "reasoning", base64: false },
    hint: "set apiKey or GROQ_API_KEY",
  },
  together: {
    address: "https://api.together.xyz/v1",
    needsKey: true,
    keyVariable: "TOGETHER_API_KEY",
    quirks: { extraOptions: VLLM_OPTIONS, base64: false, embedBatch: 128 },
    hint: "set apiKey or TOGETHER_API_KEY",
  },
  mistral: {
    address: "https://api.mistral.ai/v1",
    needsKey: true,
    keyVariable: "MISTRAL_API_KEY",
    quirks: {
      seedField: "random_seed",
      shortCallIds: true,
      streamOptions: false,
      reasoning: false,
      base64: false,
      embedBatch: 128,
    },
    hint: "set apiKey or MISTRAL_API_KEY",
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof PRESETS;

/** A server that speaks the dialect and of which no more is known. */
export const COMPATIBLE: Preset = {
  quirks: {},
  hint: "start the server, or correct baseUrl",
};

/** Where servers tell their version, by whom they call the owner of their models. */
export const VERSION_BY_OWNER: Readonly<Record<string, VersionPlace>> = {
  llamacpp: PROPS,
  vllm: VERSION,
  sglang: { path: "/get_server_info", field: "version" },
  library: { path: "/api/version", field: "version" },
};

/** The preset whose service an address leads to, by TLS alone: a key belongs to it. Servers of one's own listen anywhere, so they are never guessed. */
export function presetOf(baseUrl: string): PresetName | undefined {
  const origin = URL.parse(baseUrl)?.origin;
  const names = Object.keys(PRESETS) as PresetName[];
  return names.find((name) => {
    const preset: Preset = PRESETS[name];
    return preset.needsKey === true && URL.parse(preset.address ?? "")?.origin === origin;
  });
}
