import type { ChatRequest, Message } from "./chat.ts";
import { LlmError } from "./errors.ts";
import type { Warning } from "./events.ts";
import type { Feature } from "./provider.ts";

/** Throws `invalid-request`, naming the field, for what no backend could make sense of. */
export function checkRequest(request: ChatRequest): void {
  const wrong = (field: string, says: string): never => {
    throw new LlmError("invalid-request", `${field}: ${says}`);
  };
  if (typeof request.model !== "string" || request.model === "") wrong("model", "name a model");
  if (!Array.isArray(request.messages) || request.messages.length === 0)
    wrong("messages", "send at least one message");
  for (const field of NUMBERS) {
    const value = request[field];
    if (value !== undefined && !Number.isFinite(value))
      wrong(field, `expected a number, got ${String(value)}`);
  }
  const { maxTokens, temperature, stop, tools } = request;
  if (maxTokens !== undefined && (maxTokens < 1 || !Number.isInteger(maxTokens)))
    wrong("maxTokens", "expected a whole number above 0");
  if (temperature !== undefined && temperature < 0) wrong("temperature", "expected 0 or more");
  if (stop?.includes("") === true) wrong("stop", "an empty text would end every answer at once");
  if (tools !== undefined && new Set(tools.map((tool) => tool.name)).size < tools.length)
    wrong("tools", "two tools have one name");
}

const NUMBERS = [
  "temperature",
  "topP",
  "topK",
  "minP",
  "seed",
  "maxTokens",
  "frequencyPenalty",
  "presencePenalty",
  "repeatPenalty",
] as const;

/**
 * The request as the provider may see it. What needs a feature that the plugin does not declare is refused, or with
 * `unsupported: "warn"` left out with a warning.
 */
export function withoutUndeclared(
  request: ChatRequest,
  features: readonly Feature[],
): { request: ChatRequest; warnings: Warning[] } {
  const warnings: Warning[] = [];
  const { tools, toolChoice, responseFormat, reasoning, messages, ...rest } = request;
  const mayPass = (feature: Feature, option: string, wanted: boolean): boolean => {
    if (!wanted || features.includes(feature)) return wanted;
    const message = `this provider does not pass on ${FEATURE_WORDS[feature]} (option "${option}")`;
    if (request.unsupported !== "warn") {
      throw new LlmError("unsupported", message, {
        hint: `leave "${option}" out, choose a provider that declares "${feature}", or set unsupported to "warn"`,
      });
    }
    warnings.push({ code: "unsupported", option, message });
    return false;
  };
  const withTools = mayPass(
    "tools",
    "tools",
    tools !== undefined && tools.length > 0 && toolChoice !== "none",
  );
  const withFormat = mayPass("json-schema", "responseFormat", responseFormat?.type === "json");
  const withReasoning = mayPass("reasoning", "reasoning", reasoning !== undefined && reasoning !== "none");
  const withFiles = mayPass("vision", "messages", messages.some(hasFile));
  return {
    warnings,
    request: {
      ...rest,
      messages: withFiles || !messages.some(hasFile) ? messages : messages.map(withoutFiles),
      ...(withTools && { tools, toolChoice }),
      ...(withFormat && { responseFormat }),
      // "none" reaches only those who could think.
      ...((withReasoning || features.includes("reasoning")) && { reasoning }),
    },
  };
}

const FEATURE_WORDS: Record<Feature, string> = {
  tools: "tools",
  "json-schema": "structured output",
  reasoning: "a wish for reasoning",
  vision: "files",
};

function hasFile(message: Message): boolean {
  return (
    message.role === "user" &&
    typeof message.content !== "string" &&
    message.content.some((part) => part.type === "file")
  );
}

function withoutFiles(message: Message): Message {
  if (message.role !== "user" || typeof message.content === "string") return message;
  return { ...message, content: message.content.filter((part) => part.type !== "file") };
}
