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
import type { JsonValue } from "./json.ts";
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
  return { ...response, output: JSON.parse(response.text) as JsonValue };
}

/** Reads a stream to its end. Without a `finish` it is `stream-interrupted`. */
export async function collect(stream: AsyncIterable<ChatEvent>): Promise<ChatResponse> {
  const text: string[] = [];
  const reasoning: string[] = [];
  const toolCalls: ToolCallEvent[] = [];
  const parts: Exclude<AssistantMessage["content"], string>[number][] = [];
  let open: string[] = [];
  let start: (ChatEvent & { type: "start" }) | undefined;
  let finish: (ChatEvent & { type: "finish" }) | undefined;
  for await (const batch of batchesOf(stream)) {
    for (const event of batch) {
      const { type } = event;
      if (type === "text-delta") {
        text.push(event.text);
        open.push(event.text);
      } else if (type === "reasoning-delta") {
        reasoning.push(event.text);
        open.push(event.text);
      } else if (type === "text-start" || type === "reasoning-start") {
        open = [];
      } else if (type === "text-end") {
        parts.push({ type: "text", text: open.join("") });
      } else if (type === "reasoning-end") {
        parts.push({ type: "reasoning", text: open.join("") });
      } else if (type === "tool-call") {
        toolCalls.push(event);
        parts.push({
          type: "tool-call",
          id: event.id,
          name: event.name,
          input: event.input ?? event.inputText,
        });
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
    message: { role: "assistant", content: parts },
    finishReason,
    usage,
    context,
    timings,
  };
}

/** The provider's method for `operation`, or `unsupported` with the operations that it has. */
export function requireOperation<Wanted extends Operation>(
  provider: Provider,
  operation: Wanted,
): NonNullable<Provider[(typeof OPERATIONS)[Wanted]]> {
  const method = provider[OPERATIONS[operation]];
  if (method !== undefined) return method as NonNullable<Provider[(typeof OPERATIONS)[Wanted]]>;
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
