import type { JsonObject } from "@enginehouse/llm-core";

import type { Refusal } from "../../scenario.ts";
import type { Exchange } from "../http-fake.ts";
import { wordsOfMessages } from "../words.ts";
import type { OllamaKind } from "./kind.ts";

const BY_STATUS: Readonly<Record<number, string>> = {
  401: "unauthorized",
  429: "too many requests",
  503: "server busy, please try again.  maximum pending requests exceeded",
};

/** Worded as the recordings are. */
export const ollamaRefusal = (
  refusal: Refusal,
  exchange: Pick<Exchange, "asked" | "house" | "path">,
  kind: OllamaKind,
): JsonObject | string => {
  if (refusal.message !== undefined) return { error: refusal.message };
  const { asked } = exchange;
  switch (refusal.because) {
    case "overflow":
      return overflowError(
        wordsOfMessages(asked.messages),
        asked.window ?? exchange.house.find(asked.model)?.window ?? 0,
        kind,
      );
    case "too-long":
      return { error: TOO_LONG };
    case "out-of-memory":
      return { error: "model requires more system memory (5.6 GiB) than is available (3.1 GiB)" };
    case "output-cut":
      return {
        error: `llama-server returned invalid tool call arguments for "${asked.tools?.[0]?.name ?? "a_tool"}": unexpected end of JSON input`,
      };
    case "model-missing":
    case undefined:
      if (refusal.status === 404) return missingModel(asked.model ?? "", exchange.path, kind);
      if (refusal.status === 403) return "";
      return { error: BY_STATUS[refusal.status] ?? "an error was encountered while running the model" };
  }
};

export const TOO_LONG = "the input length exceeds the context length";

/** Every path has words of its own for it. */
export const missingModel = (name: string, path: string, kind: OllamaKind): JsonObject => {
  if (path === "/api/embed") return { error: `model "${name}" not found, try pulling it first` };
  const withTag = path === "/api/show" && kind.generation === "new" && !name.includes(":");
  return { error: `model '${name}${withTag ? ":latest" : ""}' not found` };
};

/** The engine's own error, wrapped as text by the new generation. */
export const overflowError = (tokens: number, window: number, kind: OllamaKind): JsonObject => {
  if (kind.generation === "0.13") return { error: TOO_LONG };
  const message = `request (${tokens} tokens) exceeds the available context size (${window} tokens), try increasing it`;
  const error = {
    code: 400,
    message,
    type: "exceed_context_size_error",
    n_prompt_tokens: tokens,
    n_ctx: window,
  };
  return { error: JSON.stringify({ error }) };
};
