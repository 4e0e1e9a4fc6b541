import {
  type ChatEvent,
  type ChatRequest,
  type ContextReport,
  type EventBatch,
  type FinishEvent,
  type FinishReason,
  isLlmError,
  type JsonValue,
  LlmError,
  type PartialAnswer,
  type ToolCallEvent,
  type Usage,
  type Warning,
} from "@enginehouse/llm-core";
import type { EventDecoder } from "@enginehouse/llm-wire";

import { readErrorLine } from "./errors.ts";
import { createThinkTags, type Piece, type ThinkTags } from "./thoughts/think-tags.ts";
import { type ChatLine, numberIn, readChatLine, type WireToolCall } from "./wire.ts";

export interface ChatDecoder extends EventDecoder<string> {
  /** A fault that came behind events: they go out first, then it is thrown. */
  readonly fault: LlmError | undefined;
}

export interface DecoderOptions {
  readonly request: ChatRequest;
  readonly warnings: readonly Warning[];
  /** `start` waits for the first line, as the server may still refuse what can be done without. */
  readonly startsLate: boolean;
  readonly newCallId: () => string;
  readonly contextOf: (usage: Usage) => ContextReport;
  /** Faults of a value against the schema that was asked for. */
  readonly faultsOf?: ((value: unknown) => readonly string[]) | undefined;
}

export function createDecoder(options: DecoderOptions): ChatDecoder {
  const { request, warnings, newCallId } = options;
  const raw = request.includeRaw === true;
  const ids = new Set<string>();
  const calls: ToolCallEvent[] = [];
  const text: string[] = [];
  const reasoning: string[] = [];
  let fault: LlmError | undefined;
  let started = false;
  let done = false;
  let blocks = 0;
  let textBlock = "";
  let thoughtBlock = "";
  let tags: ThinkTags | undefined = createThinkTags();

  const startEvent = (): ChatEvent => {
    started = true;
    return { type: "start", model: request.model, warnings };
  };

  const closeBlocks = (events: ChatEvent[]): void => {
    if (textBlock !== "") events.push({ type: "text-end", id: textBlock });
    if (thoughtBlock !== "") events.push({ type: "reasoning-end", id: thoughtBlock });
    textBlock = thoughtBlock = "";
  };

  const addText = (piece: string, events: ChatEvent[]): void => {
    if (textBlock === "") {
      closeBlocks(events);
      textBlock = String((blocks += 1));
      events.push({ type: "text-start", id: textBlock });
    }
    events.push({ type: "text-delta", id: textBlock, text: piece });
    if (options.faultsOf !== undefined) text.push(piece);
  };

  const addThought = (piece: string, events: ChatEvent[]): void => {
    if (thoughtBlock === "") {
      closeBlocks(events);
      thoughtBlock = String((blocks += 1));
      events.push({ type: "reasoning-start", id: thoughtBlock });
    }
    events.push({ type: "reasoning-delta", id: thoughtBlock, text: piece });
    if (options.faultsOf !== undefined) reasoning.push(piece);
  };

  const addPieces = (pieces: readonly Piece[], events: ChatEvent[]): void => {
    for (const piece of pieces) (piece.thought ? addThought : addText)(piece.text, events);
  };

  const addContent = (content: string, events: ChatEvent[]): void => {
    if (tags === undefined) return addText(content, events);
    addPieces(tags.add(content), events);
    if (tags.over) tags = undefined;
  };

  /** What the tags held back is text after all. */
  const endTags = (events: ChatEvent[]): void => {
    if (tags !== undefined) addPieces(tags.end(), events);
    tags = undefined;
  };

  /** Ids are the backend's where it gives each its own. */
  const idOf = ({ id }: WireToolCall): string => {
    let own = typeof id === "string" ? id : "";
    while (own === "" || ids.has(own)) own = newCallId();
    ids.add(own);
    return own;
  };

  const addCall = (call: WireToolCall, events: ChatEvent[]): void => {
    const { name, arguments: given } = call.function ?? {};
    if (typeof name !== "string" || name === "")
      throw new LlmError("invalid-response", "Ollama sent a tool call without a name", { phase: "stream" });
    endTags(events);
    closeBlocks(events);
    const id = idOf(call);
    const event: ToolCallEvent = { type: "tool-call", id, name, ...readArguments(given) };
    calls.push(event);
    events.push({ type: "tool-input-start", id, name });
    if (event.inputText !== "") events.push({ type: "tool-input-delta", id, text: event.inputText });
    events.push({ type: "tool-input-end", id }, event);
  };

  const finish = (line: ChatLine, events: ChatEvent[]): void => {
    endTags(events);
    closeBlocks(events);
    done = true;
    const usage: Usage = {
      inputTokens: numberIn(line, "prompt_eval_count"),
      outputTokens: numberIn(line, "eval_count"),
    };
    const reason = reasonOf(line.done_reason, calls.length);
    fault = faultOfOutput(reason, usage);
    if (fault === undefined) events.push(finishEvent(line, reason, usage, options.contextOf(usage)));
  };

  /** What of the output the grammar could not hold, or a model without one wrote. Core sees to what is no JSON at all. */
  function faultOfOutput({ unified }: FinishReason, usage: Usage): LlmError | undefined {
    if (options.faultsOf === undefined || calls.length > 0 || unified === "length") return undefined;
    const whole = text.join("");
    let value: unknown;
    try {
      value = JSON.parse(whole);
    } catch {
      return undefined;
    }
    const [first, ...more] = options.faultsOf(value);
    if (first === undefined) return undefined;
    const partial: PartialAnswer = { text: whole, reasoning: reasoning.join(""), toolCalls: [], usage };
    const rest = more.length === 0 ? "" : ` (and ${more.length} more)`;
    return new LlmError("output-invalid", `the output breaks its schema at ${first}${rest}`, {
      phase: "stream",
      partial,
      retryable: true,
      hint: "ask again, or loosen the schema",
    });
  }

  const addLine = (text: string, events: ChatEvent[]): void => {
    const line = readChatLine(text);
    if (line === undefined)
      throw new LlmError("invalid-response", "Ollama sent a line that is no object", { phase: "stream" });
    if (!started) events.push(startEvent());
    if (raw) events.push({ type: "raw", value: line });
    if (line.error !== undefined && line.error !== null) {
      throw readErrorLine(line.error, { model: request.model, path: "/api/chat" }, { phase: "stream" });
    }
    const { message } = line;
    if (message !== undefined) {
      const { thinking, content, tool_calls } = message;
      if (thinking) {
        // The server itself tells thoughts from text.
        endTags(events);
        addThought(thinking, events);
      }
      if (content) addContent(content, events);
      if (tool_calls) for (const call of tool_calls) addCall(call, events);
    }
    if (line.done === true) finish(line, events);
  };

  return {
    start: () => (options.startsLate ? [] : [startEvent()]),
    add(lines) {
      const events: ChatEvent[] = [];
      for (const line of lines) {
        if (done || fault !== undefined) break;
        try {
          addLine(line, events);
        } catch (error) {
          endTags(events);
          fault = faultOf(error);
        }
      }
      if (fault !== undefined && events.length === 0) throw fault;
      return events;
    },
    finish() {
      if (fault !== undefined) throw fault;
      if (done) return [];
      throw new LlmError("stream-interrupted", "Ollama's answer ended without its last line", {
        phase: "stream",
        hint: "Ollama breaks off so where a model repeats itself without end: ask again, or raise repeatPenalty",
      });
    },
    get fault() {
      return fault;
    },
  };
}

function faultOf(error: unknown): LlmError {
  if (isLlmError(error)) return error;
  return new LlmError("invalid-response", "Ollama sent a line that is not JSON", {
    phase: "stream",
    cause: error,
  });
}

/** Arguments come as an object; as a text where a model's parser left them so. */
function readArguments(given: unknown): { inputText: string; input?: JsonValue; inputError?: string } {
  if (given === undefined || given === null || given === "") return { inputText: "", input: {} };
  if (typeof given !== "string") return { inputText: JSON.stringify(given), input: given as JsonValue };
  try {
    return { inputText: given, input: JSON.parse(given) as JsonValue };
  } catch (error) {
    return { inputText: given, inputError: error instanceof Error ? error.message : String(error) };
  }
}

/** Ollama says `stop` also after calls. */
function reasonOf(raw: string | undefined, calls: number): FinishReason {
  if (raw === "length") return { unified: "length", raw };
  if (calls > 0) return { unified: "tool-calls", raw };
  return { unified: raw === "stop" ? "stop" : "other", raw };
}

function finishEvent(
  line: ChatLine,
  reason: FinishReason,
  usage: Usage,
  context: ContextReport,
): FinishEvent {
  return {
    type: "finish",
    reason,
    usage,
    context,
    timings: {
      loadMs: milliseconds(line.load_duration),
      promptMs: milliseconds(line.prompt_eval_duration),
      generationMs: milliseconds(line.eval_duration),
    },
  };
}

const milliseconds = (nanoseconds: number | undefined): number | undefined =>
  nanoseconds === undefined ? undefined : nanoseconds / 1e6;

/** The batch with the finish's context told anew, where the server's facts came after it. */
export function withContext(batch: EventBatch, contextOf: (usage: Usage) => ContextReport): EventBatch {
  return batch.map((event) =>
    event.type === "finish" ? { ...event, context: contextOf(event.usage) } : event,
  );
}
