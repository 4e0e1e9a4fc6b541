import {
  type CallOptions,
  type ChatEvent,
  type ChatRequest,
  type EventBatch,
  fromBatches,
  type Host,
  LlmError,
  type Message,
  type ModelInfo,
  type Provider,
  type ToolCallEvent,
} from "@enginehouse/llm-core";

import { DEFAULTS, type EchoSettings } from "./settings.ts";

type Operations = "stream" | "embed" | "countTokens" | "health" | "listModels" | "describeModel";
export type EchoProvider = Provider & Required<Pick<Provider, Operations>>;

const MODELS: readonly ModelInfo[] = [
  { id: "echo", task: "chat", demonstration: true, note: "Repeats what it is told." },
  { id: "letters", task: "embedding", demonstration: true, note: "Counts letters." },
];
const yes = { value: "yes", source: "declared" } as const;
const no = { value: "no", source: "declared" } as const;

/** Answers with the user's own words. Needs no backend, and keeps every promise that one would. */
export function createEcho(settings: EchoSettings, host: Host): EchoProvider {
  let replies = 0;

  const windowOf = (): number => settings.contextWindow ?? DEFAULTS.contextWindow;

  async function* answer(request: ChatRequest, signal: AbortSignal | undefined): AsyncGenerator<EventBatch> {
    assertModel(request.model, "chat");
    const window = windowOf();
    const promptTokens = count(request.messages.map(textOf).join(" "));
    if (promptTokens >= window) throw overflow(promptTokens, window);
    yield [{ type: "start", model: request.model, warnings: [] }];

    const call = toolCallFor(request);
    if (call !== undefined) {
      const { id, name, inputText } = call;
      const finish = finished(promptTokens, count(inputText), window, "tool-calls");
      const input: ChatEvent[] = [
        { type: "tool-input-start", id, name },
        { type: "tool-input-delta", id, text: inputText },
        { type: "tool-input-end", id },
      ];
      yield [...input, call, finish];
      return;
    }

    const thoughts =
      request.reasoning === undefined || request.reasoning === "none" ? "" : "The same words will do.";
    if (thoughts !== "") {
      const id = "thought";
      yield [
        { type: "reasoning-start", id },
        { type: "reasoning-delta", id, text: thoughts },
        { type: "reasoning-end", id },
      ];
    }

    const full = request.responseFormat?.type === "json" ? JSON.stringify(sample(request)) : replyTo(request);
    const { words, cut } = limited(full, request, window - promptTokens, count(thoughts));
    const id = "text";
    yield [{ type: "text-start", id }];
    for (const text of words) {
      // Without a delay there is no pause either: the words are there already.
      if (settings.delayMs !== undefined && settings.delayMs > 0) await pause(settings.delayMs, signal);
      signal?.throwIfAborted();
      yield [{ type: "text-delta", id, text }];
    }
    const outputTokens = count(thoughts) + words.length;
    yield [{ type: "text-end", id }, finished(promptTokens, outputTokens, window, cut ? "length" : "stop")];
  }

  function replyTo(request: ChatRequest): string {
    const scripted = settings.replies?.[replies % settings.replies.length];
    replies += 1;
    return scripted ?? textOf(request.messages.at(-1));
  }

  return {
    name: host.name,
    stream: (request, { signal }: CallOptions = {}) => fromBatches(() => answer(request, signal)),

    async embed({ model, texts }, { signal } = {}) {
      assertModel(model, "embedding");
      signal?.throwIfAborted();
      texts.forEach((text, index) => {
        const tokens = count(text);
        if (tokens <= windowOf()) return;
        throw new LlmError(
          "input-too-long",
          `text ${index} has ${tokens} tokens, the model reads ${windowOf()}`,
          {
            figures: { index, tokens, limit: windowOf() },
            hint: "split the text",
          },
        );
      });
      const inputTokens = texts.reduce((sum, text) => sum + count(text), 0);
      return { model, vectors: texts.map(letters), usage: { inputTokens } };
    },

    async countTokens({ model, messages = [], texts = [] }) {
      assertModel(model);
      const perText = texts.map(count);
      const prompt = messages.length === 0 ? 0 : count(messages.map(textOf).join(" "));
      return { tokens: perText.reduce((sum, tokens) => sum + tokens, prompt), perText, window: windowOf() };
    },

    health: async () => ({ status: "ok" }),
    listModels: async () => MODELS,

    async describeModel(id) {
      const model = assertModel(id);
      const chat = model.task === "chat";
      return {
        ...model,
        contextWindow: windowOf(),
        ...(chat ? {} : { dimensions: 26, maxInputTokens: windowOf() }),
        license: "Apache-2.0",
        capabilities: {
          chat: chat ? yes : no,
          embedding: chat ? no : yes,
          rerank: no,
          tools: chat ? yes : no,
          vision: no,
          reasoning: chat ? yes : no,
          jsonSchema: chat ? yes : no,
        },
      };
    },

    close: async () => undefined,
  };
}

function assertModel(id: string, task?: ModelInfo["task"]): ModelInfo {
  const model = MODELS.find((one) => one.id === id);
  if (model === undefined) {
    throw new LlmError("model-not-found", `echo has no model "${id}" (it has: echo, letters)`, { model: id });
  }
  if (task !== undefined && model.task !== task) {
    throw new LlmError("unsupported", `the model "${id}" is for ${model.task}, not for ${task}`, {
      model: id,
    });
  }
  return model;
}

function overflow(promptTokens: number, window: number): LlmError {
  return new LlmError("context-overflow", `the prompt has ${promptTokens} tokens, the window ${window}`, {
    figures: { promptTokens, window },
    hint: 'shorten the conversation, or set overflow to "drop-oldest"',
  });
}

/** A call of the wanted tool while no result is there: the choice names it, or says that one is required, or the user does. */
function toolCallFor({ tools = [], toolChoice = "auto", messages }: ChatRequest): ToolCallEvent | undefined {
  const last = messages.at(-1);
  if (last?.role === "tool") return undefined;
  const named =
    typeof toolChoice === "object" ? tools.find((tool) => tool.name === toolChoice.name) : undefined;
  const asked = tools.find((tool) => textOf(last).includes(tool.name));
  const tool = named ?? asked ?? (toolChoice === "required" ? tools[0] : undefined);
  if (tool === undefined) return undefined;
  const input = { text: textOf(last) };
  return { type: "tool-call", id: "call-1", name: tool.name, inputText: JSON.stringify(input), input };
}

/** The smallest value that a plain object schema asks for, with the user's words in every text. */
function sample({ responseFormat, messages }: ChatRequest): unknown {
  const text = textOf(messages.at(-1));
  const of = (schema: unknown): unknown => {
    const { type, properties, enum: values, const: constant } = (schema ?? {}) as Record<string, unknown>;
    if (constant !== undefined) return constant;
    if (Array.isArray(values)) return values[0];
    if (type === "object") {
      return Object.fromEntries(Object.entries(properties ?? {}).map(([key, inner]) => [key, of(inner)]));
    }
    if (type === "array") return [];
    if (type === "number" || type === "integer") return 0;
    if (type === "boolean") return false;
    if (type === "null") return null;
    return text;
  };
  return responseFormat?.type === "json" && responseFormat.schema !== undefined
    ? of(responseFormat.schema)
    : { text };
}

/** The words up to the first stop text and the smallest of the limits. */
function limited(
  full: string,
  { stop = [], maxTokens }: ChatRequest,
  room: number,
  thought: number,
): { words: string[]; cut: boolean } {
  const ends = stop.map((text) => full.indexOf(text)).filter((index) => index !== -1);
  const words = full.slice(0, Math.min(full.length, ...ends)).match(/\s*\S+|\s+$/gu) ?? [];
  const limit = Math.max(0, Math.min(room, maxTokens ?? Number.POSITIVE_INFINITY) - thought);
  return { words: words.slice(0, limit), cut: words.length > limit };
}

function finished(
  inputTokens: number,
  outputTokens: number,
  window: number,
  unified: "stop" | "length" | "tool-calls",
): ChatEvent {
  return {
    type: "finish",
    reason: { unified, raw: unified },
    usage: { inputTokens, outputTokens },
    context: { window, promptTokens: inputTokens, truncated: "no" },
  };
}

function textOf(message: Message | undefined): string {
  if (message === undefined) return "";
  if (typeof message.content === "string") return message.content;
  return message.content
    .map((part) => {
      if (part.type === "text" || part.type === "reasoning") return part.text;
      if (part.type === "tool-result")
        return typeof part.output === "string" ? part.output : JSON.stringify(part.output);
      return "";
    })
    .join("");
}

const count = (text: string): number => Math.ceil(text.length / 4);

/** How often each letter stands in the text, as a vector of length 1; the first letter alone where there is none. */
function letters(text: string): Float32Array {
  const vector = new Float32Array(26);
  for (const char of text.toLowerCase()) {
    const index = char.charCodeAt(0) - 97;
    if (index >= 0 && index < 26) vector[index] = (vector[index] ?? 0) + 1;
  }
  const length = Math.hypot(...vector);
  if (length === 0) vector[0] = 1;
  return length === 0 ? vector : vector.map((value) => value / length);
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
