import { automatonWeights, type AutomatonOptions } from "./automaton.ts";
import { writeGgufFile, type GgufContent, type GgufValue } from "./gguf-file.ts";
import { compileScript, type Script } from "./script.ts";
import { CHAT_TEMPLATE } from "./template.ts";
import { END_OF_TEXT, MERGES, TURN_END, type TokenKind, type Vocabulary } from "./vocabulary.ts";

export interface ScriptedModelOptions {
  readonly script: Script;
  /** In tokens. Default 2048, at most 4096. */
  readonly contextWindow?: number;
  /** `general.name`. Default `scripted`. */
  readonly name?: string;
  /** A Jinja template. The default is ChatML with tools and thoughts; another one must keep ChatML's turns. */
  readonly template?: string;
  /** Extra width and layers of zeros, to make a token take longer: `{ width: 2048, layers: 4 }`. */
  readonly padding?: AutomatonOptions["padding"];
}

const TOKEN_TYPE: Record<TokenKind, number> = { normal: 1, control: 3, "user-defined": 4, unused: 5 };

/** Writes a llama model in GGUF that answers as the script says, and says how many bytes it has. */
export function writeScriptedGguf(path: string, options: ScriptedModelOptions): number {
  return writeGgufFile(path, scriptedModel(options));
}

export function scriptedModel(options: ScriptedModelOptions): GgufContent {
  const { script, contextWindow = 2048, name = "scripted", template = CHAT_TEMPLATE, padding = {} } = options;
  const program = compileScript(script);
  const weights = automatonWeights(program, { contextWindow, padding });
  return {
    metadata: {
      ...general("llama", name),
      "llama.context_length": { type: "u32", value: contextWindow },
      "llama.embedding_length": { type: "u32", value: weights.width },
      "llama.block_count": { type: "u32", value: weights.layers },
      "llama.feed_forward_length": { type: "u32", value: weights.feedForward },
      "llama.attention.head_count": { type: "u32", value: weights.heads },
      "llama.attention.head_count_kv": { type: "u32", value: weights.heads },
      "llama.attention.key_length": { type: "u32", value: weights.headWidth },
      "llama.attention.value_length": { type: "u32", value: weights.headWidth },
      "llama.attention.layer_norm_rms_epsilon": { type: "f32", value: 1e-6 },
      "llama.rope.dimension_count": { type: "u32", value: weights.headWidth },
      "llama.rope.freq_base": { type: "f32", value: weights.ropeBase },
      "llama.vocab_size": { type: "u32", value: program.vocabulary.tokens.length },
      ...byteLevelTokenizer(program.vocabulary),
      "tokenizer.chat_template": { type: "string", value: template },
    },
    tensors: weights.tensors,
  };
}

/** The metadata that every model file begins with. The weights are float32. */
export function general(architecture: string, name: string): Record<string, GgufValue> {
  return {
    "general.architecture": { type: "string", value: architecture },
    "general.name": { type: "string", value: name },
    "general.file_type": { type: "u32", value: 0 },
    "general.quantization_version": { type: "u32", value: 2 },
  };
}

export function byteLevelTokenizer({ tokens, idOf }: Vocabulary): Record<string, GgufValue> {
  const end = { type: "u32", value: idOf(END_OF_TEXT) } as const;
  return {
    "tokenizer.ggml.model": { type: "string", value: "gpt2" },
    "tokenizer.ggml.pre": { type: "string", value: "gpt-2" },
    "tokenizer.ggml.tokens": { type: "strings", value: tokens.map(({ string }) => string) },
    "tokenizer.ggml.token_type": { type: "i32s", value: tokens.map(({ kind }) => TOKEN_TYPE[kind]) },
    "tokenizer.ggml.merges": { type: "strings", value: MERGES.map((pair) => pair.join(" ")) },
    "tokenizer.ggml.bos_token_id": end,
    "tokenizer.ggml.padding_token_id": end,
    "tokenizer.ggml.eos_token_id": { type: "u32", value: idOf(TURN_END) },
    "tokenizer.ggml.add_bos_token": { type: "bool", value: false },
  };
}
