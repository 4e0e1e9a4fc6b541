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
  type ToolCallEvent,
  type Usage,
  type Warning,
} from "@enginehouse/llm-core";
import { createThinkTags, type EventDecoder, type ThinkTags } from "@enginehouse/llm-wire";

import { readErrorLine } from "./errors.ts";
import { type ChatLine, isRecord, numberIn, readChatLine, type WireToolCall } from "./wire.ts";

export interface DecoderOptions {
  readonly request: ChatRequest;
  readonly warnings: readonly Warning[];
  /** `start` waits for the first line, as the server may still refuse what can be done without. */
  readonly startsLate: boolean;
  readonly newCallId: () => string;
  readonly contextOf: (usage: Usage) => ContextReport;
}

export function createDecoder(options: DecoderOptions): Required<EventDecoder<string>> {
  const { request, warnings, newCallId } = options;
  const raw = request.includeRaw === true;
  const ids = new Set<string>();
  let calls = 0;
  let fault: LlmError | undefined;
  let started = false;
  let done = false;
  let blocks = 0;
  let textBlock = "";
  let thoughtBlock = "";
  let read: ChatEvent[] = [];

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
  };

  const addThought = (piece: string, events: ChatEvent[]): void => {
    if (thoughtBlock === "") {
      closeBlocks(events);
      thoughtBlock = String((blocks += 1));
      events.push({ type: "reasoning-start", id: thoughtBlock });
    }
    events.push({ type: "reasoning-delta", id: thoughtBlock, text: piece });
  };

  /** Servers from before thinking leave thoughts in the text, and later ones where a model's template does not name them. */
  let tags: ThinkTags | undefined = createThinkTags({
    text: (piece) => addText(piece, read),
    reasoning: (piece) => addThought(piece, read),
  });

  /** What the tags held back is text after all. */
  const endTags = (): void => {
    tags?.end();
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
    const { name, arguments: given }: NonNullable<WireToolCall["function"]> =
      (isRecord(call) ? call.function : undefined) ?? {};
    if (typeof name !== "string" || name === "") throw unlikeOllama("a tool call without a name");
    endTags();
    closeBlocks(events);
    const id = idOf(call);
    const event: ToolCallEvent = { type: "tool-call", id, name, ...readArguments(given) };
    calls += 1;
    events.push({ type: "tool-input-start", id, name });
    if (event.inputText !== "") events.push({ type: "tool-input-delta", id, text: event.inputText });
    events.push({ type: "tool-input-end", id }, event);
  };

  const finish = (line: ChatLine, events: ChatEvent[]): void => {
    endTags();
    closeBlocks(events);
    done = true;
    const usage: Usage = {
      inputTokens: numberIn(line, "prompt_eval_count"),
      outputTokens: numberIn(line, "eval_count"),
    };
    const reason = reasonOf(line.done_reason, calls);
    events.push(finishEvent(line, reason, usage, options.contextOf(usage)));
  };

  const addLine = (text: string, events: ChatEvent[]): void => {
    const line = readChatLine(text);
    if (line === undefined) throw unlikeOllama("a line that is no object");
    if (!started) events.push(startEvent());
    if (raw) events.push({ type: "raw", value: line });
    if (line.error !== undefined && line.error !== null) {
      throw readErrorLine(line.error, { model: request.model, path: "/api/chat" }, { phase: "stream" });
    }
    const { message } = line;
    if (message !== undefined && message !== null) {
      if (!isRecord(message)) throw unknownForm("a message");
      const { thinking, content, tool_calls } = message;
      if (thinking) {
        if (typeof thinking !== "string") throw unknownForm("thoughts");
        // The server itself tells thoughts from text.
        endTags();
        addThought(thinking, events);
      }
      if (content) {
        if (typeof content !== "string") throw unknownForm("text");
        if (tags === undefined) addText(content, events);
        else tags.add(content);
      }
      if (tool_calls) {
        if (!Array.isArray(tool_calls)) throw unknownForm("tool calls");
        for (const call of tool_calls as readonly WireToolCall[]) addCall(call, events);
      }
    }
    if (line.done === true) finish(line, events);
  };

  return {
    start: () => (options.startsLate ? [] : [startEvent()]),
    add(lines) {
      const events: ChatEvent[] = [];
      read = events;
      for (const line of lines) {
        if (done || fault !== undefined) break;
        try {
          addLine(line, events);
        } catch (error) {
          endTags();
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
    fault: () => fault,
    // The counts come with the last line, and with it the answer is whole.
    usage: () => undefined,
  };
}

function faultOf(error: unknown): LlmError {
  if (isLlmError(error)) return error;
  return unlikeOllama("a line that is not JSON", error);
}

function unlikeOllama(what: string, cause?: unknown): LlmError {
  const hint = "is this the address of an Ollama server?";
  return new LlmError("invalid-response", `Ollama sent ${what}`, { phase: "stream", hint, cause });
}

/** What cannot be read is not left out. */
const unknownForm = (what: string): LlmError => unlikeOllama(`${what} in a form that is not known`);

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
function reasonOf(told: unknown, calls: number): FinishReason {
  const raw = typeof told === "string" ? told : undefined;
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
      loadMs: milliseconds(numberIn(line, "load_duration")),
      promptMs: milliseconds(numberIn(line, "prompt_eval_duration")),
      generationMs: milliseconds(numberIn(line, "eval_duration")),
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
