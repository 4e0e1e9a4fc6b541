import type { AssistantMessage, ChatRequest } from "./chat.ts";
import { LlmError } from "./errors.ts";
import type {
  ChatEvent,
  ContextReport,
  FinishReason,
  Timings,
  ToolCallEvent,
  Usage,
  Warning,
} from "./events.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { type CallOptions, OPERATIONS, type Operation, type Provider } from "./provider.ts";
import { batchesOf } from "./stream.ts";

/** One whole answer: what a stream's events add up to. */
export interface ChatResponse {
  readonly model: string;
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCallEvent[];
  /** The output as a value, when `responseFormat` was JSON and no tool was called. */
  readonly output?: JsonValue | undefined;
  /** The answer as a message to send back with the next request. */
  readonly message: AssistantMessage;
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  readonly context: ContextReport;
  readonly timings?: Timings | undefined;
  readonly warnings: readonly Warning[];
}

/** The provider's stream, collected. There is no second way to generate, so the two cannot disagree. */
export async function generate(
  provider: Provider,
  request: ChatRequest,
  options?: CallOptions,
): Promise<ChatResponse> {
  const response = await collect(requireOperation(provider, "chat")(request, options));
  if (request.responseFormat?.type !== "json" || response.toolCalls.length > 0) return response;
  const { text, reasoning, toolCalls, usage, warnings } = response;
  try {
    return { ...response, output: JSON.parse(text) as JsonValue };
  } catch (cause) {
    // Left out by the policy `warn`, and said so: then the text is whatever it is.
    if (warnings.some(({ code, option }) => code === "unsupported" && option === "responseFormat"))
      return response;
    throw new LlmError("output-invalid", "the output is not JSON", {
      provider: provider.name,
      operation: "chat",
      partial: { text, reasoning, toolCalls, usage },
      cause,
    });
  }
}

/** Reads a stream to its end. Without a `finish` it is `stream-interrupted`. */
export async function collect(stream: AsyncIterable<ChatEvent>): Promise<ChatResponse> {
  const text: string[] = [];
  const reasoning: string[] = [];
  const toolCalls: ToolCallEvent[] = [];
  const parts: (() => Part)[] = [];
  const blocks = new Map<string, Block>();
  const begin = (type: Block["type"], id: string): void => {
    const block: Block = { type, texts: [] };
    blocks.set(`${type} ${id}`, block);
    parts.push(() => ({ type, text: block.texts.join(""), ...kept(block.providerData) }));
  };
  let start: (ChatEvent & { type: "start" }) | undefined;
  let finish: (ChatEvent & { type: "finish" }) | undefined;
  for await (const batch of batchesOf(stream)) {
    for (const event of batch) {
      const { type } = event;
      if (type === "text-delta") {
        text.push(event.text);
        blocks.get(`text ${event.id}`)?.texts.push(event.text);
      } else if (type === "reasoning-delta") {
        reasoning.push(event.text);
        blocks.get(`reasoning ${event.id}`)?.texts.push(event.text);
      } else if (type === "text-start" || type === "reasoning-start") {
        begin(type === "text-start" ? "text" : "reasoning", event.id);
      } else if (type === "text-end" || type === "reasoning-end") {
        const block = blocks.get(`${type === "text-end" ? "text" : "reasoning"} ${event.id}`);
        if (block !== undefined) block.providerData = event.providerData;
      } else if (type === "tool-call") {
        toolCalls.push(event);
        const { id, name, inputText, input = inputText, providerData } = event;
        parts.push(() => ({ type, id, name, input, ...kept(providerData) }));
      } else if (type === "start") {
        start = event;
      } else if (type === "finish") {
        finish = event;
      }
    }
  }
  if (start === undefined || finish === undefined) {
    throw new LlmError("stream-interrupted", "the answer ended without its closing event", {
      operation: "chat",
      partial: { text: text.join(""), reasoning: reasoning.join(""), toolCalls },
    });
  }
  const { reason: finishReason, usage, context, timings } = finish;
  return {
    model: start.model,
    warnings: start.warnings,
    text: text.join(""),
    reasoning: reasoning.join(""),
    toolCalls,
    message: { role: "assistant", content: parts.map((part) => part()) },
    finishReason,
    usage,
    context,
    timings,
  };
}

type Part = Exclude<AssistantMessage["content"], string>[number];

interface Block {
  readonly type: "text" | "reasoning";
  readonly texts: string[];
  providerData?: JsonObject | undefined;
}

const kept = (providerData: JsonObject | undefined): { providerData?: JsonObject } =>
  providerData === undefined ? {} : { providerData };

/** The provider's method for `operation`, or `unsupported` with the operations that it has. */
export function requireOperation<Wanted extends Operation>(
  provider: Provider,
  operation: Wanted,
): NonNullable<Provider[(typeof OPERATIONS)[Wanted]]> {
  const method = provider[OPERATIONS[operation]];
  if (method !== undefined)
    return method.bind(provider) as NonNullable<Provider[(typeof OPERATIONS)[Wanted]]>;
  const has = Object.entries(OPERATIONS).flatMap(([name, key]) =>
    provider[key] === undefined ? [] : [name],
  );
  throw new LlmError(
    "unsupported",
    `provider "${provider.name}" has no "${operation}" (it has: ${has.join(", ")})`,
    {
      provider: provider.name,
      operation,
    },
  );
}
