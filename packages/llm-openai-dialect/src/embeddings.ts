import { LlmError } from "@enginehouse/llm-core";
import { readVector } from "@enginehouse/llm-wire";

import { errorIn, faultOfError } from "./errors.ts";
import type { Quirks } from "./quirks.ts";
import { countIn, numberIn } from "./usage.ts";
import { isRecord } from "./wire.ts";

export interface EmbedBatch {
  readonly model: string;
  readonly texts: readonly string[];
  /** How long the vectors are to be, where the model can choose. */
  readonly dimensions?: number | undefined;
}

/** The body for `/embeddings`. */
export function encodeEmbed(
  { model, texts, dimensions }: EmbedBatch,
  { base64 }: Quirks,
): Record<string, unknown> {
  return {
    model,
    input: texts,
    encoding_format: base64 ? "base64" : "float",
    ...(dimensions !== undefined && { dimensions }),
  };
}

/** Vectors in the order of the texts, whatever the order of the reply; their length is the core's to see to. */
export function decodeEmbed(
  reply: unknown,
  count: number,
): { vectors: Float32Array[]; inputTokens: number | undefined } {
  const error = errorIn(reply);
  if (error !== undefined) throw faultOfError(error, { operation: "embed" });
  const data = isRecord(reply) ? reply["data"] : undefined;
  if (!Array.isArray(data)) throw invalid("the reply has no list of vectors");
  const vectors: (Float32Array | undefined)[] = Array.from({ length: count });
  data.forEach((one: unknown, position) => {
    if (!isRecord(one)) throw invalid(`vector ${position} is none`);
    const index = numberIn(one, "index") ?? position;
    if (index >= count) throw invalid(`vector ${position} has the index ${index}, of ${count} texts`);
    if (vectors[index] !== undefined) throw invalid(`two vectors have the index ${index}`);
    vectors[index] = vectorOf(one["embedding"], position);
  });
  const whole = vectors.filter((vector) => vector !== undefined);
  if (whole.length !== count || vectors.length !== count)
    throw invalid(`${count} texts went in, and ${data.length} vectors came out`);
  const usage = isRecord(reply) ? reply["usage"] : undefined;
  const inputTokens = isRecord(usage)
    ? (countIn(usage, "prompt_tokens") ?? countIn(usage, "total_tokens"))
    : undefined;
  return { vectors: whole, inputTokens };
}

function vectorOf(given: unknown, position: number): Float32Array {
  if (typeof given !== "string") return readVector(given);
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(given), (char) => char.charCodeAt(0));
  } catch {
    throw invalid(`vector ${position} is not base64`);
  }
  if (bytes.length % 4 !== 0) throw invalid(`vector ${position} has half a number`);
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, at) => view.getFloat32(at * 4, true));
}

const invalid = (says: string): LlmError =>
  new LlmError("invalid-response", `embeddings: ${says}`, { phase: "request" });
