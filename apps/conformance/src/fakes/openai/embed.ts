import type { JsonObject } from "@enginehouse/llm-core";

import { playEmbed } from "../embedding.ts";
import type { Exchange } from "../http-fake.ts";
import { fieldsOf, numberOf } from "../reading.ts";
import type { OpenaiKind } from "./kind.ts";
import { missing, tooLong } from "./refusals.ts";
import type { Trouble } from "./refusals.ts";
import { modelFor, refuse } from "./replies.ts";

export const embed = async (exchange: Exchange, kind: OpenaiKind): Promise<void> => {
  const { house, asked } = exchange;
  const { input, encoding_format: encoding, dimensions } = fieldsOf(exchange.body);
  const model = modelFor(exchange, kind, "embedding");
  if (model === undefined) return refuse(exchange, 404, missing(asked.model ?? "", kind), kind);
  if (model.task !== "embedding") return refuse(exchange, ...noEmbeddings(model.id, kind), kind);
  if (Array.isArray(input) && input.length === 0) {
    return refuse(
      exchange,
      400,
      { message: '"input" must not be empty', type: "invalid_request_error" },
      kind,
    );
  }
  const done = await playEmbed(exchange, model, house.nextEmbed(), {
    // llama-server does not know the field.
    dimensions: kind === "llama-server" ? undefined : numberOf(dimensions),
  });
  if (done === undefined) return;
  if ("problem" in done) {
    const { problem } = done;
    if (problem.type === "too-long") {
      const status = kind === "llama-server" ? 500 : 400;
      return refuse(exchange, status, tooLong(problem.tokens, problem.limit, kind), kind);
    }
    const message = `Invalid 'input': array too long. Expected an array with maximum length ${problem.limit}, but got an array with length ${asked.texts?.length ?? 0} instead.`;
    const trouble = {
      message,
      type: "invalid_request_error",
      param: "input",
      code: "array_above_max_length",
    };
    return refuse(exchange, 400, trouble, kind);
  }
  const base64 = encoding === "base64";
  const usage: JsonObject =
    done.tokens === undefined ? {} : { usage: { prompt_tokens: done.tokens, total_tokens: done.tokens } };
  return exchange.send(200, {
    object: "list",
    model: kind === "llama-server" ? model.id : (asked.model ?? model.id),
    ...usage,
    data: done.vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: base64 ? inBase64(vector) : vector,
      ...(base64 && kind === "llama-server" ? { encoding_format: "base64" } : {}),
    })),
  });
};

/** Little-endian floats; what is no number stays none. */
const inBase64 = (vector: readonly (number | null)[]): string => {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [place, value] of vector.entries()) bytes.writeFloatLE(value ?? Number.NaN, place * 4);
  return bytes.toString("base64");
};

const noEmbeddings = (model: string, kind: OpenaiKind): [status: number, trouble: Trouble] => {
  if (kind === "openai") {
    const message = `You are not allowed to generate embeddings from this model: ${model}`;
    return [403, { message, type: "invalid_request_error" }];
  }
  const message = "This server does not support embeddings. Start it with `--embeddings`";
  return [501, { message, type: kind === "ollama" ? "api_error" : "not_supported_error" }];
};
