import { LlmError } from "@enginehouse/llm-core";

import type { WireRefusal } from "./wire.ts";

/** What only this server's wording tells. Status codes are known to llm-wire: `undefined` leaves it to them. */
export function readFault(status: number, body: string): LlmError | undefined {
  const { code, message = "the server refused the request", tokens, limit } = refusalIn(body);
  switch (code ?? "") {
    case "overflow":
      return new LlmError("context-overflow", message, {
        status,
        figures: figures({ promptTokens: tokens, window: limit }),
        hint: 'shorten the conversation, or set overflow to "drop-oldest"',
      });
    case "too-long":
      return new LlmError("input-too-long", message, {
        status,
        figures: figures({ tokens, limit }),
        hint: "split the text",
      });
    case "output-cut":
      return new LlmError("output-invalid", message, { status, hint: "raise maxTokens", retryable: false });
    case "out-of-memory":
      return new LlmError("out-of-memory", message, {
        status,
        hint: "take a smaller model, or unload another",
      });
    default:
      return undefined;
  }
}

/** An error inside a stream, after status 200. */
export function streamFault(message: string): LlmError {
  return new LlmError("provider-internal", `the server gave up: ${message}`, { phase: "stream" });
}

function refusalIn(body: string): NonNullable<WireRefusal["error"]> {
  try {
    return (JSON.parse(body) as WireRefusal | null)?.error ?? {};
  } catch {
    return {}; // a web page, or nothing: the status says enough
  }
}

function figures(given: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
}
