import { writeGgufFile, type GgufTensor, type GgufValue } from "./gguf-file.ts";
import { randomNumbers } from "./random-numbers.ts";
import { general } from "./scripted-gguf.ts";

export interface EmbedderOptions {
  /** Lower-case words that are one token each; other words are spelled, letter by letter. */
  readonly words?: readonly string[];
  /** An even number. Default 128. */
  readonly dimensions?: number;
  /** In tokens. Default 512. */
  readonly contextWindow?: number;
  /** Default 1. */
  readonly seed?: number;
  /** `general.name`. Default `scripted-embedder`. */
  readonly name?: string;
}

export interface RerankerOptions {
  /** What each word is worth, from -1 to 1; other words are worth nothing. The score rises with the mean. */
  readonly scores: Readonly<Record<string, number>>;
  /** In tokens. Default 512. */
  readonly contextWindow?: number;
  /** `general.name`. Default `scripted-reranker`. */
  readonly name?: string;
}

const SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] as const;
const WORD_START = "\u2581";
const FEED_FORWARD = 32;

/**
 * Writes a BERT that embeds a text as the mean of its tokens' vectors: texts with the same words are near each other,
 * texts without a common word are not. A token's vector is a row of signs, as many plus as minus, which the norms of a
 * BERT leave as it is.
 */
export function writeEmbedderGguf(path: string, options: EmbedderOptions = {}): number {
  const { words = [], dimensions = 128, contextWindow = 512, seed = 1, name = "scripted-embedder" } = options;
  if (dimensions % 2 !== 0) throw new Error(`The number of dimensions must be even, not ${dimensions}.`);
  const tokens = wordPieces(words);
  const { uniform } = randomNumbers(seed);
  const rows = tokens.map((_, id) => (id < SPECIAL.length ? [] : balancedSigns(dimensions, uniform)));
  return writeBert(path, {
    name,
    contextWindow,
    width: dimensions,
    tokens,
    rows,
    pooling: "mean",
    weights: {},
  });
}

/** Writes a BERT that scores a pair of texts by the words in it. */
export function writeRerankerGguf(path: string, options: RerankerOptions): number {
  const { scores, contextWindow = 512, name = "scripted-reranker" } = options;
  const outside = Object.entries(scores).find(([, score]) => !(Math.abs(score) <= 1));
  if (outside !== undefined)
    throw new Error(`The score of "${outside[0]}" must be from -1 to 1, not ${outside[1]}.`);
  const width = 64;
  const tokens = wordPieces(Object.keys(scores));
  const rows = tokens.map((token) => {
    const score = scores[token.slice(WORD_START.length)] ?? 0;
    // Dimensions 0 and 1 carry the score, 2 and 3 keep the length of every row the same.
    const rest = Math.sqrt(1 - score ** 2);
    return [score, -score, rest, -rest];
  });
  const copyScore = single(width, [
    [0, 0, 1],
    [1, 1, 1],
  ]);
  return writeBert(path, {
    name,
    contextWindow,
    width,
    tokens,
    rows,
    pooling: "rank",
    // Without queries and keys, attention is the mean over all tokens.
    weights: { "blk.0.attn_v.weight": copyScore, "blk.0.attn_output.weight": copyScore },
  });
}

interface Bert {
  readonly name: string;
  readonly contextWindow: number;
  readonly width: number;
  readonly tokens: readonly string[];
  readonly rows: readonly (readonly number[])[];
  readonly pooling: "mean" | "rank";
  /** What is not zero, by tensor. */
  readonly weights: Readonly<Record<string, Float32Array>>;
}

function writeBert(
  path: string,
  { name, contextWindow, width, tokens, rows, pooling, weights }: Bert,
): number {
  const embedding = new Float32Array(tokens.length * width);
  for (const [id, row] of rows.entries()) embedding.set(row, id * width);
  const tensors: GgufTensor[] = [
    { name: "token_embd.weight", shape: [width, tokens.length], data: embedding },
  ];
  const add = (tensor: string, ...shape: number[]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    tensors.push({ name: tensor, shape, data: weights[tensor] ?? new Float32Array(size) });
  };
  const linear = (tensor: string, inputs: number, outputs: number) => {
    add(`${tensor}.weight`, inputs, outputs);
    add(`${tensor}.bias`, outputs);
  };
  const norm = (tensor: string) => {
    tensors.push({ name: `${tensor}.weight`, shape: [width], data: new Float32Array(width).fill(1) });
    add(`${tensor}.bias`, width);
  };

  add("token_types.weight", width, 2);
  add("position_embd.weight", width, contextWindow);
  norm("token_embd_norm");
  for (const part of ["attn_q", "attn_k", "attn_v", "attn_output"]) linear(`blk.0.${part}`, width, width);
  norm("blk.0.attn_output_norm");
  linear("blk.0.ffn_up", width, FEED_FORWARD);
  linear("blk.0.ffn_down", FEED_FORWARD, width);
  norm("blk.0.layer_output_norm");
  if (pooling === "rank") {
    tensors.push({ name: "cls.weight", shape: [width, width], data: single(width, [[0, 0, 0.2]]) });
    add("cls.bias", width);
    tensors.push({
      name: "cls.output.weight",
      shape: [width, 1],
      data: single(width, [[0, 0, 8]]).slice(0, width),
    });
    add("cls.output.bias", 1);
  }

  const u32 = (value: number): GgufValue => ({ type: "u32", value });
  return writeGgufFile(path, {
    metadata: {
      ...general("bert", name),
      "bert.context_length": u32(contextWindow),
      "bert.embedding_length": u32(width),
      "bert.feed_forward_length": u32(FEED_FORWARD),
      "bert.block_count": u32(1),
      "bert.attention.head_count": u32(1),
      "bert.attention.layer_norm_epsilon": { type: "f32", value: 1e-12 },
      "bert.attention.causal": { type: "bool", value: false },
      "bert.pooling_type": u32(pooling === "mean" ? 1 : 4),
      "tokenizer.ggml.model": { type: "string", value: "bert" },
      "tokenizer.ggml.pre": { type: "string", value: "default" },
      "tokenizer.ggml.token_type_count": u32(2),
      "tokenizer.ggml.tokens": { type: "strings", value: tokens },
      "tokenizer.ggml.token_type": {
        type: "i32s",
        value: tokens.map((_, id) => (id < SPECIAL.length ? 3 : 1)),
      },
      "tokenizer.ggml.bos_token_id": u32(SPECIAL.indexOf("[CLS]")),
      "tokenizer.ggml.cls_token_id": u32(SPECIAL.indexOf("[CLS]")),
      "tokenizer.ggml.eos_token_id": u32(SPECIAL.indexOf("[SEP]")),
      // The name is misspelled in the format itself.
      "tokenizer.ggml.seperator_token_id": u32(SPECIAL.indexOf("[SEP]")),
      "tokenizer.ggml.unknown_token_id": u32(SPECIAL.indexOf("[UNK]")),
      "tokenizer.ggml.padding_token_id": u32(SPECIAL.indexOf("[PAD]")),
      "tokenizer.ggml.mask_token_id": u32(SPECIAL.indexOf("[MASK]")),
    },
    tensors,
  });
}

/** The special tokens, the given words, and every visible ASCII character at the start of and inside a word. */
function wordPieces(words: readonly string[]): string[] {
  const tokens = new Set<string>([...SPECIAL, ...words.map((word) => WORD_START + word.toLowerCase())]);
  for (let code = 33; code < 127; code++) {
    const character = String.fromCharCode(code);
    if (character >= "A" && character <= "Z") continue;
    tokens.add(WORD_START + character).add(character);
  }
  return [...tokens];
}

function balancedSigns(length: number, uniform: () => number): number[] {
  const signs = Array.from({ length }, (_, index) => (index % 2 === 0 ? 1 : -1));
  for (let left = length - 1; left > 0; left--) {
    const right = Math.floor(uniform() * (left + 1));
    const sign = signs[left] ?? 1;
    signs[left] = signs[right] ?? 1;
    signs[right] = sign;
  }
  return signs;
}

/** A square matrix that is zero but for these [input, output, value]. */
function single(width: number, entries: readonly (readonly [number, number, number])[]): Float32Array {
  const data = new Float32Array(width * width);
  for (const [input, output, value] of entries) data[output * width + input] = value;
  return data;
}
