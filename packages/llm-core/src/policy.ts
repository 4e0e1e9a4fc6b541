import type { ChatRequest, Message, ToolChoice, ToolDefinition } from "./chat.ts";
import { LlmError } from "./errors.ts";
import type { Warning } from "./events.ts";
import { isTexts, wrong } from "./named.ts";
import type { Feature, Timeouts } from "./provider.ts";
import { checkFormat, checkMessages, checkOwnOptions, checkTools, shown } from "./request-shape.ts";

/** Throws `invalid-request`, naming the field, for what no backend could make sense of. */
export function checkRequest(request: ChatRequest, timeouts?: Timeouts): void {
  if (typeof request !== "object" || request === null) wrong("the request", "send an object");
  const { model, messages, maxTokens, stop, tools = NO_TOOLS, toolChoice, responseFormat } = request;
  const { includeRaw, providerOptions, keepAlive } = request;
  if (typeof model !== "string" || model === "") wrong("model", "name a model");
  checkMessages(messages, wrong);
  for (const field of ["overflow", "unsupported", "reasoning"] as const) {
    const value: string | undefined = request[field];
    const words: readonly string[] = WORDS[field];
    if (value !== undefined && !words.includes(value))
      wrong(field, `expected ${words.join(", ")}, got ${shown(value)}`);
  }
  for (const [field, [least, most]] of LIMITS) {
    const value = request[field as keyof typeof NUMBERS];
    if (value === undefined) continue;
    if (!Number.isFinite(value)) wrong(field, `expected a number, got ${shown(value)}`);
    if (value < least || value > most) wrong(field, `expected ${rangeText(least, most)}, got ${value}`);
    if (WHOLE.has(field) && !Number.isInteger(value)) wrong(field, `expected a whole number, got ${value}`);
  }
  if (maxTokens === 0) wrong("maxTokens", "expected a whole number above 0");
  if (keepAlive !== undefined) checkDurations("", { keepAlive });
  if (timeouts !== undefined) checkDurations("timeouts.", timeouts);
  if (stop !== undefined && !isTexts(stop)) wrong("stop", "expected a list of texts");
  if (stop?.includes("") === true) wrong("stop", "an empty text would end every answer at once");
  if (responseFormat !== undefined) checkFormat(responseFormat, wrong);
  if (tools !== NO_TOOLS) checkTools(tools, wrong);
  if (toolChoice !== undefined) checkToolChoice(toolChoice, tools);
  if (includeRaw !== undefined && typeof includeRaw !== "boolean")
    wrong("includeRaw", `expected true or false, got ${shown(includeRaw)}`);
  if (providerOptions !== undefined) checkOwnOptions(providerOptions, wrong);
}

function checkToolChoice(choice: ToolChoice, tools: readonly ToolDefinition[]): void {
  if (typeof choice === "object" && choice !== null) {
    if (typeof choice.name !== "string") wrong("toolChoice", "name the tool");
    if (!tools.some((tool) => tool.name === choice.name))
      wrong("toolChoice", `no tool "${choice.name}" is given`);
  } else if (!["auto", "none", "required"].includes(choice)) {
    wrong("toolChoice", `expected auto, none, required or the name of a tool, got ${shown(choice)}`);
  } else if (choice === "required" && tools.length === 0) {
    wrong("toolChoice", "a tool is required and none is given");
  }
}

function checkDurations(
  place: string,
  durations: Timeouts | { readonly keepAlive: number | undefined },
): void {
  for (const [name, value] of Object.entries(durations) as [string, number | undefined][]) {
    if (value !== undefined && !(typeof value === "number" && value >= 0))
      wrong(place + name, `expected milliseconds or Infinity, got ${shown(value)}`);
  }
}

const rangeText = (least: number, most: number): string =>
  most === ANY ? `${least} or more` : `${least} to ${most}`;

const ANY = Number.POSITIVE_INFINITY;

const WORDS = {
  overflow: ["error", "drop-oldest"],
  unsupported: ["error", "warn"],
  reasoning: ["none", "low", "medium", "high"],
} as const;

const NUMBERS = {
  temperature: [0, ANY],
  topP: [0, 1],
  topK: [0, ANY],
  minP: [0, 1],
  seed: [-ANY, ANY],
  maxTokens: [0, ANY],
  frequencyPenalty: [-ANY, ANY],
  presencePenalty: [-ANY, ANY],
  repeatPenalty: [-ANY, ANY],
} as const;

const LIMITS = Object.entries(NUMBERS);

const NO_TOOLS: readonly ToolDefinition[] = [];

const WHOLE = new Set(["topK", "seed", "maxTokens"]);

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
  const withCalls = mayPass("tools", "messages", messages.some(hasCall));
  const without = (message: Message): readonly Message[] => {
    const seen = withFiles ? message : withoutFiles(message);
    return withCalls ? [seen] : withoutCalls(seen);
  };
  return {
    warnings,
    request: {
      ...rest,
      messages: warnings.some(({ option }) => option === "messages") ? messages.flatMap(without) : messages,
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

function hasCall({ role, content }: Message): boolean {
  return (
    role === "tool" || (typeof content !== "string" && content.some((part) => part.type === "tool-call"))
  );
}

function withoutCalls(message: Message): readonly Message[] {
  if (message.role === "tool") return [];
  if (message.role !== "assistant" || typeof message.content === "string") return [message];
  const content = message.content.filter((part) => part.type !== "tool-call");
  return content.length === 0 ? [] : [{ ...message, content }];
}
