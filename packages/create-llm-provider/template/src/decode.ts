import {
  type ChatEvent,
  type ChatRequest,
  type FinishEvent,
  LlmError,
  type ToolCallEvent,
} from "@enginehouse/llm-core";
import type { EventDecoder } from "@enginehouse/llm-wire";

import { streamFault } from "./errors.ts";
import type { CallLine, EndLine, Line, WholeCall, WireUsage } from "./wire.ts";

/** The server's lines in, our events out; one decoder for each answer. */
export function createDecoder(request: ChatRequest): EventDecoder<string> {
  const calls = new Map<number, OpenCall>();
  const ids = new Set<string>();
  let open: "text" | "reasoning" | undefined;
  let blocks = 0;
  let usage: WireUsage | undefined;
  let made = 0;
  let ended = false;
  let fault: LlmError | undefined;

  const blockId = (): string => `${open ?? ""}-${blocks}`;

  const close = (events: ChatEvent[]): void => {
    if (open !== undefined) events.push({ type: `${open}-end`, id: blockId() });
    open = undefined;
  };

  /** Only what comes after a call tells that it is whole: a prefix of its JSON may parse, too. */
  const completeAll = (events: ChatEvent[]): void => {
    for (const call of calls.values()) complete(call, events);
    calls.clear();
  };

  const say = (kind: "text" | "reasoning", text: string, events: ChatEvent[]): void => {
    if (text === "") return;
    completeAll(events);
    if (open !== kind) {
      close(events);
      open = kind;
      blocks += 1;
      events.push({ type: `${kind}-start`, id: blockId() });
    }
    events.push({ type: `${kind}-delta`, id: blockId(), text });
  };

  /** Unique also where the server gives no id, an empty one, or one twice. */
  const idFor = (given: string | null | undefined): string => {
    let id = given || `call-${ids.size + 1}`;
    while (ids.has(id)) id = `${id}-again`;
    ids.add(id);
    return id;
  };

  const begin = (name: string, given: string | null | undefined, events: ChatEvent[]): OpenCall => {
    close(events);
    const call = { id: idFor(given), name, input: [] };
    events.push({ type: "tool-input-start", id: call.id, name });
    return call;
  };

  const extend = (call: OpenCall, text: string, events: ChatEvent[]): void => {
    if (text === "") return;
    call.input.push(text);
    events.push({ type: "tool-input-delta", id: call.id, text });
  };

  const complete = (call: OpenCall, events: ChatEvent[]): void => {
    made += 1;
    events.push({ type: "tool-input-end", id: call.id }, toolCall(call));
  };

  const addCall = (line: CallLine, events: ChatEvent[]): void => {
    let call = calls.get(line.index);
    if (call === undefined) calls.set(line.index, (call = begin(line.name ?? "", line.id, events)));
    extend(call, line.input ?? "", events);
  };

  const addWhole = ({ id, name, input = "" }: WholeCall, events: ChatEvent[]): void => {
    const call = begin(name, id, events);
    extend(call, input, events);
    complete(call, events);
  };

  const end = (line: EndLine, events: ChatEvent[]): void => {
    close(events);
    completeAll(events);
    for (const call of line.calls ?? []) addWhole(call, events);
    ended = true;
    events.push(finish(line.reason, usage, made > 0));
  };

  const add = (line: Line, events: ChatEvent[]): void => {
    if (line.type === "usage" || line.type === "end") usage = line.usage ?? usage;
    switch (line.type) {
      case "text":
      case "reasoning":
        return say(line.type, line.text, events);
      case "call":
        return addCall(line, events);
      case "end":
        return end(line, events);
      case "error":
        // Thrown at the next read: what came with it in one read belongs to the partial answer.
        fault = streamFault(line.message);
        return undefined;
      case "start":
      case "usage":
      default:
        return undefined; // a newer server may say more than we know
    }
  };

  return {
    start: () => [{ type: "start", model: request.model, warnings: [] }],
    add(lines) {
      if (fault !== undefined) throw fault;
      const events: ChatEvent[] = [];
      for (const text of lines) {
        const line = JSON.parse(text) as Line;
        if (request.includeRaw === true) events.push({ type: "raw", value: line });
        add(line, events);
      }
      return events;
    },
    finish() {
      if (ended) return [];
      throw (
        fault ??
        new LlmError("stream-interrupted", "the server's answer stopped before its end", {
          phase: "stream",
          hint: "look into the server's log",
        })
      );
    },
  };
}

interface OpenCall {
  readonly id: string;
  readonly name: string;
  readonly input: string[];
}

function toolCall({ id, name, input }: OpenCall): ToolCallEvent {
  const inputText = input.join("");
  try {
    return { type: "tool-call", id, name, inputText, input: inputText === "" ? {} : JSON.parse(inputText) };
  } catch (error) {
    return { type: "tool-call", id, name, inputText, inputError: String(error) };
  }
}

const REASONS: Readonly<Record<string, FinishEvent["reason"]["unified"]>> = {
  stop: "stop",
  length: "length",
  calls: "tool-calls",
  filter: "content-filter",
};

function finish(reason: string, usage: WireUsage | undefined, called: boolean): FinishEvent {
  const unified = REASONS[reason] ?? "other";
  return {
    type: "finish",
    reason: { unified: called && unified === "stop" ? "tool-calls" : unified, raw: reason },
    // What the server does not tell is undefined, never 0.
    usage: {
      inputTokens: usage?.input,
      outputTokens: usage?.output,
      cachedInputTokens: usage?.cached,
      reasoningTokens: usage?.reasoning,
    },
    // "no" is said only by who knows it.
    context: { promptTokens: usage?.input, truncated: "unknown" },
  };
}
