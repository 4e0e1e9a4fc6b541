import type { FinishReason, Timings, Usage } from "@enginehouse/llm-core";

import { isRecord, type WireRecord } from "./wire.ts";

/** Of Chat Completions and of Responses, which call the same numbers differently. */
export function decodeUsage(told: unknown): Usage | undefined {
  if (!isRecord(told)) return undefined;
  const input = countIn(told, "prompt_tokens") ?? countIn(told, "input_tokens");
  const output = numberIn(told, "completion_tokens") ?? numberIn(told, "output_tokens");
  const inputDetails = told["prompt_tokens_details"] ?? told["input_tokens_details"];
  const outputDetails = told["completion_tokens_details"] ?? told["output_tokens_details"];
  const cached = isRecord(inputDetails) ? numberIn(inputDetails, "cached_tokens") : undefined;
  const reasoning = isRecord(outputDetails) ? numberIn(outputDetails, "reasoning_tokens") : undefined;
  if (input === undefined && (output === undefined || output === 0)) return undefined;
  return {
    inputTokens: input,
    outputTokens: output,
    ...(cached !== undefined && { cachedInputTokens: cached }),
    ...(reasoning !== undefined && { reasoningTokens: reasoning }),
  };
}

/** Tokens that were read. Where a server says none it did not count: nothing is asked without a single one. */
export const countIn = (record: WireRecord, key: string): number | undefined =>
  numberIn(record, key) || undefined;

/** What llama.cpp measures; it counts tokens there, too. */
export function decodeTimings(told: WireRecord): { timings: Timings; usage: Usage | undefined } {
  const read = numberIn(told, "prompt_n");
  const cached = numberIn(told, "cache_n");
  const written = numberIn(told, "predicted_n");
  return {
    timings: { promptMs: numberIn(told, "prompt_ms"), generationMs: numberIn(told, "predicted_ms") },
    usage:
      read === undefined || cached === undefined
        ? undefined
        : { inputTokens: read + cached, outputTokens: written, cachedInputTokens: cached },
  };
}

/** Counts and times: below zero is none of them. */
export function numberIn(record: WireRecord, key: string): number | undefined {
  const value = record[key];
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** The words that servers end an answer with. */
const REASONS: Record<string, FinishReason["unified"]> = {
  stop: "stop",
  eos: "stop",
  eos_token: "stop",
  end_turn: "stop",
  stop_sequence: "stop",
  length: "length",
  max_tokens: "length",
  model_length: "length",
  max_output_tokens: "length",
  tool_calls: "tool-calls",
  function_call: "tool-calls",
  tool_use: "tool-calls",
  content_filter: "content-filter",
  refusal: "content-filter",
};

export function decodeReason(raw: string): FinishReason {
  return { unified: Object.hasOwn(REASONS, raw) ? (REASONS[raw] ?? "other") : "other", raw };
}
