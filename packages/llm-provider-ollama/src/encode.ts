import {
  type ChatRequest,
  type FilePart,
  type JsonObject,
  LlmError,
  type Message,
  type ToolDefinition,
  type ToolResultPart,
  type Warning,
} from "@enginehouse/llm-core";

import { THINKS } from "./connection/version.ts";
import type { Lack } from "./errors.ts";
import { ignoredKeywords } from "./schema/keywords.ts";

/** What goes with every request about a model, so that it is never loaded anew for nothing. */
export interface Residence {
  /** Tokens; `undefined` leaves it to the server. */
  readonly window: number | undefined;
  /** Milliseconds. */
  readonly keepAlive: number | undefined;
}

export interface EncodedChat {
  readonly body: JsonObject;
  readonly warnings: readonly Warning[];
}

/** `lacks`: what the model was found not to have, after a refusal or in its description. */
export function encodeChat(
  request: ChatRequest,
  residence: Residence,
  lacks: ReadonlySet<Lack>,
): EncodedChat {
  const warnings: Warning[] = [];
  const own = readOwnOptions(request.providerOptions, CHAT_KEYS);
  const refuse = (option: string, message: string, hint: string): void => {
    if (request.unsupported !== "warn") throw new LlmError("unsupported", message, { hint });
    warnings.push({ code: "unsupported", option, message });
  };
  const tools = encodeTools(request, lacks, refuse);
  const think = encodeThink(request, own["think"], lacks, refuse, warnings);
  const format = encodeFormat(request, refuse);
  const messages = encodeMessages(request, lacks, refuse);
  const options = encodeOptions(request, residence, own["options"]);
  return {
    warnings,
    body: {
      model: request.model,
      messages,
      stream: true,
      ...fixed(residence.keepAlive),
      ...(tools !== undefined && { tools }),
      ...(think !== undefined && { think }),
      ...(format !== undefined && { format }),
      ...(own["logprobs"] !== undefined && { logprobs: own["logprobs"] }),
      ...(own["top_logprobs"] !== undefined && { top_logprobs: own["top_logprobs"] }),
      ...(Object.keys(options).length > 0 && { options }),
    },
  };
}

/** Whether the request says anything about thinking. */
export const wishesThoughts = ({ reasoning, providerOptions }: ChatRequest): boolean =>
  reasoning !== undefined || providerOptions?.["ollama"]?.["think"] !== undefined;

/** Whether the server may refuse what this provider can do without: then `start`, with its warnings, waits for the first line. */
export function mayBeRefused(request: ChatRequest): boolean {
  const { reasoning, tools, unsupported } = request;
  const thinks = reasoning !== "none" && wishesThoughts(request);
  return thinks || (unsupported === "warn" && tools !== undefined);
}

export function hasImage({ messages }: ChatRequest): boolean {
  return messages.some(
    ({ role, content }) =>
      role === "user" && typeof content !== "string" && content.some((part) => part.type === "file"),
  );
}

/** An empty chat loads the model, with all that a later chat sends too: another value of one of them would load it again. */
export function encodeLoad(model: string, residence: Residence): JsonObject {
  if (residence.keepAlive === 0) {
    throw new LlmError("invalid-request", "keepAlive: 0 unloads the model at once, it cannot be loaded so", {
      hint: "leave keepAlive out",
    });
  }
  const { window } = residence;
  return {
    model,
    messages: [],
    stream: false,
    ...fixed(residence.keepAlive),
    ...(window !== undefined && { options: { num_ctx: window } }),
  };
}

export const encodeUnload = (model: string): JsonObject => ({
  model,
  messages: [],
  stream: false,
  keep_alive: 0,
});

export function encodeEmbed(
  model: string,
  texts: readonly string[],
  residence: Residence,
  providerOptions: ChatRequest["providerOptions"],
): JsonObject {
  const { dimensions, options } = readOwnOptions(providerOptions, EMBED_KEYS);
  const all: JsonObject = {
    ...(options as JsonObject | undefined),
    ...(residence.window !== undefined && { num_ctx: residence.window }),
  };
  return {
    model,
    // Always a list: an empty text alone would get no vector.
    input: [...texts],
    truncate: false,
    ...keepAliveField(residence.keepAlive),
    ...(dimensions !== undefined && { dimensions }),
    ...(Object.keys(all).length > 0 && { options: all }),
  };
}

/** `truncate`: what does not fit is refused. `shift`: the window is never moved on while the model writes; a changing value would load it again. */
const fixed = (keepAlive: number | undefined): JsonObject => ({
  truncate: false,
  shift: false,
  ...keepAliveField(keepAlive),
});

/** Ollama counts in seconds, of which old versions keep whole ones alone, or takes a Go duration. Negative: for good. */
function keepAliveField(keepAlive: number | undefined): JsonObject {
  if (keepAlive === undefined) return {};
  if (keepAlive > LONGEST) return { keep_alive: -1 };
  return { keep_alive: keepAlive % 1_000 === 0 ? keepAlive / 1_000 : `${Math.ceil(keepAlive)}ms` };
}

/** Milliseconds that a Go duration can hold, about 292 years: more is for good. */
const LONGEST = 9e12;

type Refuse = (option: string, message: string, hint: string) => void;

function encodeTools(
  { tools, toolChoice, model }: ChatRequest,
  lacks: ReadonlySet<Lack>,
  refuse: Refuse,
): JsonObject[] | undefined {
  if (tools === undefined || tools.length === 0 || toolChoice === "none") return undefined;
  if (toolChoice !== undefined && toolChoice !== "auto") {
    const hint = 'leave toolChoice out, or set unsupported to "warn"';
    refuse("toolChoice", "Ollama cannot force a call: its models decide about it", hint);
  }
  if (lacks.has("tools")) {
    refuse(
      "tools",
      `the model "${model}" does not support tools`,
      "choose a model with tools, or leave them out",
    );
    return undefined;
  }
  const named = typeof toolChoice === "object" ? tools.filter(({ name }) => name === toolChoice.name) : tools;
  return named.map(encodeTool);
}

function encodeTool({ name, description, inputSchema }: ToolDefinition): JsonObject {
  const parameters = inputSchema ?? { type: "object", properties: {} };
  return {
    type: "function",
    function: { name, ...(description !== undefined && { description }), parameters },
  };
}

/** Left out: the model's own habit, which is to think where it can. */
function encodeThink(
  { reasoning, model }: ChatRequest,
  own: unknown,
  lacks: ReadonlySet<Lack>,
  refuse: Refuse,
  warnings: Warning[],
): boolean | string | undefined {
  if (reasoning === undefined && own === undefined) return undefined;
  if (lacks.has("think-field")) {
    const message = `this Ollama server is older than ${THINKS} and knows no thinking`;
    // A model that never thinks honours it all the same.
    if (reasoning === "none" || own === false)
      warnings.push({ code: "unsupported", option: "reasoning", message });
    else refuse("reasoning", message, "update the server, or leave reasoning out");
    return undefined;
  }
  if (reasoning === "none") return false;
  if (lacks.has("thinking")) {
    refuse(
      "reasoning",
      `the model "${model}" does not support thinking`,
      "leave reasoning out, or choose another model",
    );
    return undefined;
  }
  const level = own === undefined ? reasoning : (own as boolean | string);
  if (typeof level === "boolean" || !lacks.has("thinking-level")) return level;
  const message = `the model "${model}" can only think or not think here: the level "${level}" is left to it`;
  warnings.push({ code: "adjusted", option: "reasoning", message });
  return true;
}

function encodeFormat({ responseFormat }: ChatRequest, refuse: Refuse): "json" | JsonObject | undefined {
  if (responseFormat?.type !== "json") return undefined;
  const { schema } = responseFormat;
  if (schema === undefined) return "json";
  for (const place of ignoredKeywords(schema)) {
    refuse(
      "responseFormat",
      `the schema's ${place} cannot be held while the model writes`,
      'leave it out, or set unsupported to "warn": then the output is checked at its end',
    );
  }
  return schema;
}

function encodeOptions(request: ChatRequest, { window }: Residence, own: unknown): JsonObject {
  const { temperature, topP, topK, minP, seed, stop, maxTokens } = request;
  const { repeatPenalty, presencePenalty, frequencyPenalty } = request;
  return {
    ...(own as JsonObject | undefined),
    ...(window !== undefined && { num_ctx: window }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(topK !== undefined && { top_k: topK }),
    ...(minP !== undefined && { min_p: minP }),
    ...(seed !== undefined && { seed }),
    ...(stop !== undefined && { stop: [...stop] }),
    ...(maxTokens !== undefined && { num_predict: maxTokens }),
    ...(repeatPenalty !== undefined && { repeat_penalty: repeatPenalty }),
    ...(presencePenalty !== undefined && { presence_penalty: presencePenalty }),
    ...(frequencyPenalty !== undefined && { frequency_penalty: frequencyPenalty }),
  };
}

function encodeMessages(request: ChatRequest, lacks: ReadonlySet<Lack>, refuse: Refuse): JsonObject[] {
  const encoded: JsonObject[] = [];
  for (const message of request.messages) {
    switch (message.role) {
      case "system":
        encoded.push({ role: "system", content: message.content });
        break;
      case "user":
        encoded.push(encodeUser(message.content, request.model, lacks, refuse));
        break;
      case "assistant":
        encoded.push(encodeAssistant(message.content));
        break;
      case "tool":
        encoded.push(...message.content.map(encodeResult));
        break;
      default:
        throw unknown("role", message);
    }
  }
  return encoded;
}

function encodeUser(
  content: (Message & { role: "user" })["content"],
  model: string,
  lacks: ReadonlySet<Lack>,
  refuse: Refuse,
): JsonObject {
  if (typeof content === "string") return { role: "user", content };
  const texts: string[] = [];
  const images: string[] = [];
  for (const part of content) {
    if (part.type === "text") texts.push(part.text);
    else if (part.type === "file") {
      if (mayPass(part, model, lacks, refuse)) images.push(base64Of(part.data));
    } else throw unknown("part", part);
  }
  return { role: "user", content: texts.join(""), ...(images.length > 0 && { images }) };
}

function mayPass({ mediaType }: FilePart, model: string, lacks: ReadonlySet<Lack>, refuse: Refuse): boolean {
  if (!mediaType.startsWith("image/")) {
    refuse("messages", `Ollama takes images, and no ${mediaType}`, "send its text instead");
    return false;
  }
  if (!lacks.has("vision")) return true;
  refuse("messages", `the model "${model}" sees no images`, "choose a model with vision");
  return false;
}

const base64Of = (data: Uint8Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");

function encodeAssistant(content: (Message & { role: "assistant" })["content"]): JsonObject {
  if (typeof content === "string") return { role: "assistant", content };
  const texts: string[] = [];
  const thoughts: string[] = [];
  const calls: JsonObject[] = [];
  for (const part of content) {
    switch (part.type) {
      case "text":
        texts.push(part.text);
        break;
      case "reasoning":
        thoughts.push(part.text);
        break;
      case "tool-call":
        calls.push({
          id: part.id,
          type: "function",
          function: { index: calls.length, name: part.name, arguments: part.input },
        });
        break;
      default:
        throw unknown("part", part);
    }
  }
  return {
    role: "assistant",
    content: texts.join(""),
    ...(thoughts.length > 0 && { thinking: thoughts.join("") }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function encodeResult({ id, name, output, isError }: ToolResultPart): JsonObject {
  const value = isError === true ? { error: output } : output;
  const content = typeof value === "string" ? value : JSON.stringify(value);
  return { role: "tool", tool_name: name, tool_call_id: id, content };
}

/** What the types forbid still comes from callers without them, and must not be left out in silence. */
function unknown(what: "role" | "part", given: never): LlmError {
  const { role, type } = given as { role?: unknown; type?: unknown };
  const name = String(what === "role" ? role : type);
  return new LlmError("invalid-request", `messages: there is no ${what} "${name}"`);
}

const CHAT_KEYS = ["options", "think", "logprobs", "top_logprobs"] as const;
const EMBED_KEYS = ["options", "dimensions"] as const;

function readOwnOptions<Key extends string>(
  providerOptions: ChatRequest["providerOptions"],
  keys: readonly Key[],
): Readonly<Partial<Record<Key, JsonObject[string]>>> {
  const own = providerOptions?.["ollama"] ?? {};
  for (const key of Object.keys(own)) {
    if ((keys as readonly string[]).includes(key)) continue;
    throw new LlmError("invalid-request", `providerOptions.ollama.${key}: there are ${keys.join(", ")}`);
  }
  const options = (own as JsonObject)["options"];
  if (options !== undefined && (typeof options !== "object" || options === null || Array.isArray(options)))
    throw new LlmError("invalid-request", "providerOptions.ollama.options: expected an object");
  if (options !== undefined && "num_ctx" in options) {
    throw new LlmError(
      "invalid-request",
      "providerOptions.ollama.options.num_ctx: it would load the model anew",
      {
        hint: "set contextWindow in the settings, or in loadModel: then it holds for every call",
      },
    );
  }
  return own as Readonly<Partial<Record<Key, JsonObject[string]>>>;
}
