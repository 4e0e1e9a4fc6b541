import { numberIn } from "./usage.ts";
import { isRecord, type WireRecord } from "./wire.ts";

/** How much was sent and how much would have fitted, in tokens, as far as the server tells. */
export interface OverflowFigures {
  readonly tokens?: number | undefined;
  readonly limit?: number | undefined;
}

const CODES = /context_length_exceeded|exceed_context_size|context_window_exceeded|model_length_exceeded/;

/** What servers say when something does not fit. `#` stands for a figure. */
const SAYS: readonly RegExp[] = [
  /maximum context length/i,
  /context (?:size|length|window)[^.]*(?:exceed|too small|not enough|only)/i,
  /exceeds?[^.]*(?:context (?:size|length|window)|maximum model length|max_num_tokens|max_model_len)/i,
  /(?:longer|larger|greater) than the (?:model's )?(?:maximum model length|context (?:length|size|window))/i,
  /tokens to keep from the initial prompt is greater than the context length/i,
  /when context the overflows/i,
  /tokens? \+ `?max_new_tokens`? must be/i,
  /input \(\d+ tokens\) is too (?:large|long)/i,
  /prompt contains \d+ tokens/i,
  /reduce the length of the (?:messages|input|prompt)/i,
];

/** Where what was sent is told. */
const TOKENS: readonly RegExp[] = [
  /\((\d+) (?:tokens )?in (?:the|your) (?:messages|prompt|input)/i,
  /(\d+) tokens from the input/i,
  /(\d+) input tokens/i,
  /resulted in (\d+) tokens/i,
  /requested (?:about )?(\d+) tokens/i,
  /prompt contains (\d+) tokens/i,
  /(?:request|input|prompt) \(?(?:length )?(\d+)(?: tokens)?\)/i,
  /length (?:of )?\(?(\d+)\)? is longer/i,
  /keep the first (\d+) tokens/i,
  /given: (\d+) `?inputs/i,
  /prompt length \(?(\d+)\)?/i,
];

/** Where the limit is told. */
const LIMIT: readonly RegExp[] = [
  /(?:maximum context length|maximum model length)[^\d]{0,20}(\d+)/i,
  /context (?:size|length|window)[^\d]{0,12}\((\d+)/i,
  /context (?:size|length|window) of (?:only )?(\d+)/i,
  /model with (\d+) maximum context/i,
  /must be <= (\d+)/i,
  /(?:max_num_tokens|max_model_len|max input length)[^\d]{0,10}(\d+)/i,
  /current batch size: (\d+)/i,
  /> (\d+)\b/,
];

/** The figures of an error that says that something does not fit; `undefined` for any other error. */
export function overflowIn(message: string, code: string, rest: WireRecord): OverflowFigures | undefined {
  const overflows = CODES.test(code) || SAYS.some((pattern) => pattern.test(message));
  if (!overflows) return undefined;
  return {
    tokens: numberIn(rest, "n_prompt_tokens") ?? figure(message, TOKENS),
    limit: numberIn(rest, "n_ctx") ?? figure(message, LIMIT),
  };
}

function figure(message: string, patterns: readonly RegExp[]): number | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(message)?.[1];
    if (found !== undefined) return Number(found);
  }
  return undefined;
}

/** An error inside the message of another one: a server that passes on what the one behind it said. */
export function innermost(message: string): WireRecord | undefined {
  const start = message.indexOf('{"error"');
  if (start === -1) return undefined;
  try {
    const value: unknown = JSON.parse(message.slice(start));
    return isRecord(value) && isRecord(value["error"]) ? value["error"] : undefined;
  } catch {
    return undefined;
  }
}
