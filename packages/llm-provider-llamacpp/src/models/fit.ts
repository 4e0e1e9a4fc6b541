import { LlmError } from "@enginehouse/llm-core";

import type { GgufHeader } from "./gguf.ts";
import { readSystemMemory, type SystemMemory } from "./memory.ts";
import { readModelFile } from "./model-file.ts";

export interface FitRequest {
  readonly path: string;
  /** Of each sequence, in tokens; the model's own limit applies. */
  readonly contextSize: number;
  readonly sequences: number;
  /** Free memory of a GPU that takes part of the model. */
  readonly gpuFreeBytes?: number | undefined;
}

export interface Fit {
  readonly fits: boolean;
  /** It would not fit with all other memory freed either. */
  readonly never: boolean;
  readonly needed: number;
  readonly available: number;
  readonly parts: MemoryParts;
}

/** In bytes. */
export interface MemoryParts {
  readonly weights: number;
  /** Keys and values of every token in the window. */
  readonly cache: number;
  readonly compute: number;
  /** The vocabulary twice, in the engine and in its binding, and what a loaded model takes besides. */
  readonly base: number;
}

/** Whether a model would fit into the memory that is available now. */
export async function checkFit(
  request: FitRequest,
  memory: () => Promise<SystemMemory> = readSystemMemory,
): Promise<Fit> {
  const [file, system] = await Promise.all([readModelFile(request.path), memory()]);
  const parts = estimateMemory(file, request);
  const needed = sum(parts);
  const gpu = request.gpuFreeBytes ?? 0;
  const available = system.available + gpu;
  return { fits: needed <= available, never: needed > system.total + gpu, needed, available, parts };
}

/** Throws `out-of-memory` with the figures, unless `force`. */
export async function assertFits(
  request: FitRequest,
  options: { readonly provider: string; readonly force: boolean },
  memory?: () => Promise<SystemMemory>,
): Promise<Fit> {
  const fit = await checkFit(request, memory);
  if (fit.fits || options.force) return fit;
  const { weights, cache, compute, base } = fit.parts;
  const message =
    `the model needs about ${inGigabytes(fit.needed)} (weights ${inGigabytes(weights)}, cache for ${request.sequences} × ` +
    `${request.contextSize} tokens ${inGigabytes(cache)}, other ${inGigabytes(compute + base)}) and ${inGigabytes(fit.available)} are available`;
  throw new LlmError("out-of-memory", fit.never ? `${message}; it can never fit on this machine` : message, {
    provider: options.provider,
    phase: "load",
    retryable: !fit.never,
    figures: { needed: fit.needed, available: fit.available, weights, cache, compute, base },
    hint:
      cache > weights && !fit.never
        ? "Ask for a smaller context window or fewer parallel chats, or free some memory."
        : "Choose a smaller model or a stronger quantization, or free some memory; loading can be forced.",
  });
}

/** The header's facts that decide over memory, from all parts of a split model. */
export interface MemoryFacts {
  readonly header: GgufHeader;
  readonly weightBytes: number;
}

const KEY_BYTES = 2; // F16, as the engine keeps keys and values unless told otherwise
const BATCH = 512;
const EMBEDDING_BATCH = 2_048;
const PER_TOKEN_TEXT = 1_536;
const FIXED = 48 * 1024 * 1024;

/** An upper estimate; docs/decisions/0011-fit-check.md has it against what loaded models really took. */
export function estimateMemory(
  { header, weightBytes }: MemoryFacts,
  { contextSize, sequences }: { readonly contextSize: number; readonly sequences: number },
): MemoryParts {
  const { metadata } = header;
  const stated = metadata.get("general.architecture");
  const architecture = typeof stated === "string" ? stated : "";
  const number = (key: string): number | undefined => {
    const value = metadata.get(`${architecture}.${key}`);
    return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
  };
  const layers = number("block_count") ?? 0;
  const width = number("embedding_length") ?? 0;
  const heads = number("attention.head_count") ?? 0;
  const trained = number("context_length") ?? contextSize;
  const window = Math.min(contextSize, trained);
  const headWidth = heads === 0 ? 0 : width / heads;
  const keys = number("attention.key_length") ?? headWidth;
  const values = number("attention.value_length") ?? headWidth;
  const cachedHeads = perLayer(metadata.get(`${architecture}.attention.head_count_kv`), layers, heads);

  const encoder = metadata.get(`${architecture}.attention.causal`) === false;
  const cache = encoder ? 0 : window * sequences * cachedHeads * (keys + values) * KEY_BYTES;
  const batch = encoder ? Math.min(window, EMBEDDING_BATCH) : Math.min(window, BATCH);
  const scores = encoder ? heads * batch * batch * 4 : 0;
  const vocabulary = metadata.get("tokenizer.ggml.tokens");
  const words = typeof vocabulary === "object" ? vocabulary.length : 0;
  const feedForward = number("feed_forward_length") ?? width * 4;
  const compute = batch * (8 * width + 3 * feedForward) * 4 + scores + sequences * words * 4;
  return { weights: weightBytes, cache, compute, base: FIXED + words * PER_TOKEN_TEXT };
}

/** The number of key heads in all layers; some architectures have their own for each. */
function perLayer(value: unknown, layers: number, heads: number): number {
  if (typeof value === "number") return value * layers;
  if (!Array.isArray(value)) return heads * layers;
  return value.reduce(
    (total: number, one: unknown) => total + (typeof one === "number" && one > 0 ? one : 0),
    0,
  );
}

export function sum(parts: MemoryParts): number {
  return parts.weights + parts.cache + parts.compute + parts.base;
}

function inGigabytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
