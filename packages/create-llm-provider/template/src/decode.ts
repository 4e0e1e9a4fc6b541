import {
  type ChatEvent,
  type ChatRequest,
  type FinishEvent,
  LlmError,
  type ToolCallEvent,
  type Usage,
} from "@enginehouse/llm-core";
import { createThinkTags, type EventDecoder } from "@enginehouse/llm-wire";

import { streamFault } from "./errors.ts";
import type { CallLine, EndLine, Line, WholeCall, WireUsage } from "./wire.ts";

/** The server's lines in, our events out; one decoder for each answer. */
export function createDecoder(request: ChatRequest): EventDecoder<string> {
  const calls = new Map<number, OpenCall>();
  const ids = new Set<string>();
  let events: ChatEvent[] = [];
  let open: "text" | "reasoning" | undefined;
  let blocks = 0;
  let usage: Usage | undefined;
  let made = 0;
  let ended = false;
  let fault: LlmError | undefined;

  const blockId = (): string => `${open ?? ""}-${blocks}`;

  const close = (): void => {
    if (open !== undefined) events.push({ type: `${open}-end`, id: blockId() });
    open = undefined;
  };

  /** Only what comes after a call tells that it is whole: a prefix of its JSON may parse, too. */
  const completeAll = (): void => {
    for (const call of calls.values()) complete(call);
    calls.clear();
  };

  const say = (kind: "text" | "reasoning", text: string): void => {
    if (text === "") return;
    completeAll();
    if (open !== kind) {
      close();
      open = kind;
      blocks += 1;
      events.push({ type: `${kind}-start`, id: blockId() });
    }
    events.push({ type: `${kind}-delta`, id: blockId(), text });
  };

  /** Some models write their thoughts into the text, between tags at its head. */
  const tags = createThinkTags({
    text: (text) => say("text", text),
    reasoning: (text) => say("reasoning", text),
  });

  /** Unique also where the server gives no id, an empty one, or one twice. */
  const idFor = (given: string | null | undefined): string => {
    let id = given || `call-${ids.size + 1}`;
    while (ids.has(id)) id = `${id}-again`;
    ids.add(id);
    return id;
  };

  const begin = (name: string, given: string | null | undefined): OpenCall => {
    tags.end();
    close();
    const call = { id: idFor(given), name, input: [] };
    events.push({ type: "tool-input-start", id: call.id, name });
    return call;
  };

  const extend = (call: OpenCall, text: string): void => {
    if (text === "") return;
    call.input.push(text);
    events.push({ type: "tool-input-delta", id: call.id, text });
  };

  const complete = (call: OpenCall): void => {
    made += 1;
    events.push({ type: "tool-input-end", id: call.id }, toolCall(call));
  };

  const addCall = (line: CallLine): void => {
    let call = calls.get(line.index);
    if (call === undefined) calls.set(line.index, (call = begin(line.name ?? "", line.id)));
    extend(call, line.input ?? "");
  };

  const addWhole = ({ id, name, input = "" }: WholeCall): void => {
    const call = begin(name, id);
    extend(call, input);
    complete(call);
  };

  const end = (line: EndLine): void => {
    tags.end();
    close();
    completeAll();
    for (const call of line.calls ?? []) addWhole(call);
    ended = true;
    events.push(finish(line.reason, usage, made > 0));
  };

  const add = (line: Line): void => {
    if ((line.type === "usage" || line.type === "end") && line.usage !== undefined)
      usage = usageOf(line.usage);
    switch (line.type) {
      case "text":
        return tags.add(line.text);
      case "reasoning":
        return say("reasoning", line.text);
      case "call":
        return addCall(line);
      case "end":
        return end(line);
      case "error":
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
      events = [];
      for (const text of lines) {
        const line = JSON.parse(text) as Line;
        if (request.includeRaw === true) events.push({ type: "raw", value: line });
        add(line);
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
    fault: () => fault,
    usage: () => usage,
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

function finish(reason: string, usage: Usage | undefined, called: boolean): FinishEvent {
  const unified = REASONS[reason] ?? "other";
  return {
    type: "finish",
    reason: { unified: called && unified === "stop" ? "tool-calls" : unified, raw: reason },
    usage: usage ?? usageOf({}),
    // "no" is said only by who knows it.
    context: { promptTokens: usage?.inputTokens, truncated: "unknown" },
  };
}

function usageOf({ input, output, cached, reasoning }: WireUsage): Usage {
  // What the server does not tell is undefined, never 0.
  return {
    inputTokens: input,
    outputTokens: output,
    cachedInputTokens: cached,
    reasoningTokens: reasoning,
  };
}
