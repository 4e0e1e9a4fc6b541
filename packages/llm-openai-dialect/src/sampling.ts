import type { ChatRequest } from "@enginehouse/llm-core";

import type { Policy } from "./policy.ts";
import type { Quirks } from "./quirks.ts";

/** What Chat Completions can say and Responses cannot. */
const CHAT_ONLY = [
  "seed",
  "stop",
  "topK",
  "minP",
  "frequencyPenalty",
  "presencePenalty",
  "repeatPenalty",
] as const;

/** The options of a request that Responses has no word for. */
export function chatOnly(request: ChatRequest): readonly string[] {
  return CHAT_ONLY.filter((option) => isGiven(request[option]));
}

export function encodeSampling(
  request: ChatRequest,
  quirks: Quirks,
  policy: Policy,
): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  const put = (option: keyof ChatRequest, field: string | false | undefined): void => {
    const value = request[option];
    if (!isGiven(value)) return;
    if (field === false || field === undefined)
      policy.lack(option, `this server has no word for "${option}"`);
    else body[field] = value;
  };
  put("temperature", "temperature");
  put("topP", "top_p");
  put("topK", quirks.extraOptions.topK);
  put("minP", quirks.extraOptions.minP);
  put("repeatPenalty", quirks.extraOptions.repeatPenalty);
  put("seed", quirks.seedField);
  put("stop", "stop");
  put("maxTokens", quirks.maxTokensField);
  put("frequencyPenalty", quirks.penalties && "frequency_penalty");
  put("presencePenalty", quirks.penalties && "presence_penalty");
  return body;
}

export function encodeKeepAlive(
  keepAlive: number | undefined,
  quirks: Quirks,
  lack: Policy["lack"],
): Record<string, unknown> {
  if (keepAlive === undefined) return {};
  if (quirks.keepAlive === "ttl" && Number.isFinite(keepAlive) && keepAlive > 0)
    return { ttl: Math.ceil(keepAlive / 1_000) };
  lack("keepAlive", 'this server has no word for "keepAlive", how long the model stays loaded');
  return {};
}

const isGiven = (value: unknown): boolean =>
  value !== undefined && !(Array.isArray(value) && value.length === 0);
