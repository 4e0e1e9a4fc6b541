import { writeGgufFile, type GgufTensor } from "./gguf-file.ts";
import { randomNumbers } from "./random-numbers.ts";
import { byteLevelTokenizer, general } from "./scripted-gguf.ts";
import { CHAT_TEMPLATE } from "./template.ts";
import { createVocabulary } from "./vocabulary.ts";

export interface RandomModelOptions {
  /** Default 1. The same seed gives the same file. */
  readonly seed?: number;
  /** In tokens. Default 4096. */
  readonly contextWindow?: number;
  /** A multiple of 64. Default 64; 512 with 8 layers makes a file of about 100 MB, and a token takes its time. */
  readonly width?: number;
  /** Default 2. */
  readonly layers?: number;
  /** `general.name`. Default `random`. */
  readonly name?: string;
  readonly template?: string;
}

/** Writes a llama with random weights: it writes nonsense at length, and seeds and temperatures make a difference. */
export function writeRandomGguf(path: string, options: RandomModelOptions = {}): number {
  const {
    seed = 1,
    contextWindow = 4096,
    width = 64,
    layers = 2,
    name = "random",
    template = CHAT_TEMPLATE,
  } = options;
  if (width % 64 !== 0) throw new Error(`The width must be a multiple of 64, not ${width}.`);
  const vocabulary = createVocabulary();
  const vocabularySize = vocabulary.tokens.length;
  const headWidth = 16;
  const heads = width / headWidth;
  const keyWidth = width / 2;
  const feedForward = 2 * width;
  const { normal } = randomNumbers(seed);
  const tensors: GgufTensor[] = [];
  const matrix = (tensor: string, inputs: number, outputs: number, deviation: number) =>
    tensors.push({ name: tensor, shape: [inputs, outputs], data: normal(inputs * outputs, deviation) });
  const norm = (tensor: string) =>
    tensors.push({ name: tensor, shape: [width], data: new Float32Array(width).fill(1) });

  const deviation = 0.64 / Math.sqrt(width);
  matrix("token_embd.weight", width, vocabularySize, 1);
  matrix("output.weight", width, vocabularySize, 2.4 / Math.sqrt(width));
  norm("output_norm.weight");
  for (let layer = 0; layer < layers; layer++) {
    const part = (tensor: string) => `blk.${layer}.${tensor}.weight`;
    norm(part("attn_norm"));
    matrix(part("attn_q"), width, width, deviation);
    matrix(part("attn_k"), width, keyWidth, deviation);
    matrix(part("attn_v"), width, keyWidth, deviation);
    matrix(part("attn_output"), width, width, deviation);
    norm(part("ffn_norm"));
    matrix(part("ffn_gate"), width, feedForward, deviation);
    matrix(part("ffn_up"), width, feedForward, deviation);
    matrix(part("ffn_down"), feedForward, width, deviation);
  }

  return writeGgufFile(path, {
    metadata: {
      ...general("llama", name),
      "llama.context_length": { type: "u32", value: contextWindow },
      "llama.embedding_length": { type: "u32", value: width },
      "llama.block_count": { type: "u32", value: layers },
      "llama.feed_forward_length": { type: "u32", value: feedForward },
      "llama.attention.head_count": { type: "u32", value: heads },
      "llama.attention.head_count_kv": { type: "u32", value: heads / 2 },
      "llama.attention.layer_norm_rms_epsilon": { type: "f32", value: 1e-5 },
      "llama.rope.dimension_count": { type: "u32", value: headWidth },
      "llama.rope.freq_base": { type: "f32", value: 10_000 },
      "llama.vocab_size": { type: "u32", value: vocabularySize },
      ...byteLevelTokenizer(vocabulary),
      "tokenizer.chat_template": { type: "string", value: template },
    },
    tensors,
  });
}
