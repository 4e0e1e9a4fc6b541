import { type ChatRequest, LlmError, type Warning } from "@enginehouse/llm-core";

/** What a request asks for and the wire has no word for: an error, or a warning where the request wants it so. */
export interface Policy {
  readonly warnings: Warning[];
  /** Throws, or notes that `option` is left out. */
  lack(option: string, message: string, hint?: string): void;
}

export function createPolicy(request: Pick<ChatRequest, "unsupported">): Policy {
  const warnings: Warning[] = [];
  return {
    warnings,
    lack(option, message, hint) {
      if (request.unsupported !== "warn") {
        const advice = hint ?? `leave "${option}" out, or set unsupported to "warn"`;
        throw new LlmError("unsupported", message, { hint: advice });
      }
      warnings.push({ code: "unsupported", option, message });
    },
  };
}

/** Fields of the caller's own for the body. Those that this package writes cannot be taken from it. */
export function mergeOwn(
  body: Record<string, unknown>,
  own: Readonly<Record<string, unknown>> | undefined,
  path: string,
): Record<string, unknown> {
  for (const [key, value] of Object.entries(own ?? {})) {
    if (RESERVED.has(key)) {
      throw new LlmError("invalid-request", `${path}.${key}: this field belongs to the request itself`, {
        hint: "use the request's own option for it",
      });
    }
    const there = body[key];
    body[key] = isPlain(there) && isPlain(value) ? { ...there, ...value } : value;
  }
  return body;
}

const RESERVED = new Set([
  "model",
  "messages",
  "input",
  "stream",
  "n",
  "tools",
  "encoding_format",
  "background",
  "previous_response_id",
]);

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
