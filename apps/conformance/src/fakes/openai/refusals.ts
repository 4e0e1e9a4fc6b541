import type { JsonObject } from "@enginehouse/llm-core";

import type { Refusal } from "../../scenario.ts";
import type { Exchange } from "../http-fake.ts";
import { countWords, wordsOfMessages } from "../words.ts";
import type { OpenaiKind } from "./kind.ts";

/** What an error says, in the words of each server. */
export interface Trouble {
  readonly message: string;
  readonly type: string;
  readonly code?: string | undefined;
  readonly param?: string | undefined;
  readonly more?: JsonObject | undefined;
}

/** The two shapes: with `param` and `code` as words, or with the status as `code`. */
export const errorBody = (status: number, trouble: Trouble, kind: OpenaiKind): JsonObject => {
  const { message, type, code, param, more = {} } = trouble;
  return kind === "llama-server"
    ? { error: { code: status, message, type, ...more } }
    : { error: { message, type, param: param ?? null, code: code ?? null } };
};

export const openaiRefusal = (
  refusal: Refusal,
  exchange: Pick<Exchange, "asked" | "house">,
  kind: OpenaiKind,
): JsonObject => {
  const own = ownWords(refusal, exchange, kind);
  return errorBody(refusal.status, { ...own, message: refusal.message ?? own.message }, kind);
};

const ownWords = (
  refusal: Refusal,
  { asked, house }: Pick<Exchange, "asked" | "house">,
  kind: OpenaiKind,
): Trouble => {
  const window = house.find(asked.model)?.window ?? 2_048;
  switch (refusal.because) {
    case "overflow":
      return overflow(wordsOfMessages(asked.messages), window, kind);
    case "too-long":
      return tooLong(Math.max(0, ...(asked.texts ?? []).map(countWords)), window, kind);
    case "out-of-memory":
      return {
        message: "model requires more system memory (5.6 GiB) than is available (3.1 GiB)",
        type: "server_error",
      };
    case "output-cut":
      return {
        message: `llama-server returned invalid tool call arguments for "${asked.tools?.[0]?.name ?? "a_tool"}": unexpected end of JSON input`,
        type: kind === "ollama" ? "api_error" : "server_error",
      };
    case "model-missing":
      return missing(asked.model ?? "", kind);
    case undefined:
      return byStatus(refusal.status, asked.model ?? "", kind);
  }
};

export const missing = (model: string, kind: OpenaiKind): Trouble =>
  kind === "openai"
    ? {
        message: `The model \`${model}\` does not exist or you do not have access to it.`,
        type: "invalid_request_error",
        code: "model_not_found",
      }
    : { message: `model '${model}' not found`, type: "not_found_error" };

export const overflow = (tokens: number, window: number, kind: OpenaiKind): Trouble => {
  if (kind === "openai") {
    return {
      message: `This model's maximum context length is ${window} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`,
      type: "invalid_request_error",
      param: "messages",
      code: "context_length_exceeded",
    };
  }
  const trouble = {
    message: `request (${tokens} tokens) exceeds the available context size (${window} tokens), try increasing it`,
    type: "exceed_context_size_error",
    more: { n_prompt_tokens: tokens, n_ctx: window },
  };
  if (kind === "llama-server") return trouble;
  // Ollama hands on the engine's whole body, as text.
  return { message: JSON.stringify(errorBody(400, trouble, "llama-server")), type: "invalid_request_error" };
};

export const tooLong = (tokens: number, window: number, kind: OpenaiKind): Trouble => {
  if (kind === "llama-server") {
    return {
      message: `input (${tokens} tokens) is too large to process. increase the physical batch size (current batch size: ${window})`,
      type: "server_error",
    };
  }
  if (kind === "ollama") {
    return { message: "the input length exceeds the context length", type: "invalid_request_error" };
  }
  return {
    message: `This model's maximum context length is ${window} tokens, however you requested ${tokens} tokens (${tokens} in your prompt; 0 for the completion). Please reduce your prompt; or completion length.`,
    type: "invalid_request_error",
  };
};

const byStatus = (status: number, model: string, kind: OpenaiKind): Trouble => {
  if (status === 404) return missing(model, kind);
  return (
    WORDS[kind][status] ?? {
      message: `status ${status}`,
      type: status < 500 ? "invalid_request_error" : "server_error",
    }
  );
};

const WORDS: Readonly<Record<OpenaiKind, Readonly<Record<number, Trouble>>>> = {
  openai: {
    401: { message: "Incorrect API key provided.", type: "invalid_request_error", code: "invalid_api_key" },
    403: { message: "You have insufficient permissions for this operation.", type: "invalid_request_error" },
    429: { message: "Rate limit reached for requests", type: "requests", code: "rate_limit_exceeded" },
    500: { message: "The server had an error while processing your request.", type: "server_error" },
    503: { message: "The engine is currently overloaded, please try again later", type: "server_error" },
  },
  "llama-server": {
    401: { message: "Invalid API Key", type: "authentication_error" },
    503: { message: "Loading model", type: "unavailable_error" },
  },
  ollama: {
    401: { message: "unauthorized", type: "api_error" },
    429: { message: "too many requests", type: "api_error" },
    503: { message: "server busy, please try again.  maximum pending requests exceeded", type: "api_error" },
  },
};
