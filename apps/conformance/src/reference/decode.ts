import {
  type ChatEvent,
  type ChatRequest,
  type ContextReport,
  type FinishReason,
  type JsonValue,
  LlmError,
  type PartialAnswer,
  type ToolCallEvent,
  type Usage,
  type Warning,
} from "@enginehouse/llm-core";

import { faultsOf } from "./json-schema.ts";
import { createThoughts, type Thoughts } from "./thoughts.ts";
import type { PlainCall, PlainLine, PlainUsage } from "./wire.ts";

/** What of the decoding can be replaced. */
export interface DecodeParts {
  createThoughts(): Thoughts;
  usageOf(told: PlainUsage | undefined, before: Usage | undefined): Usage;
  finishOf(reason: string | undefined, calls: number): FinishReason;
  callOf(id: string, name: string, inputText: string): ToolCallEvent;
  idOf(told: string | null | undefined, taken: ReadonlySet<string>): string;
  contextOf(usage: Usage, window: number | undefined): ContextReport;
  checkOutput(request: ChatRequest, text: string, reason: FinishReason): void;
  /** What ends without the last piece. */
  unfinished(): readonly ChatEvent[];
}

export interface Decoder {
  start(warnings: readonly Warning[]): readonly ChatEvent[];
  add(line: PlainLine): readonly ChatEvent[];
  end(): readonly ChatEvent[];
  /** What had arrived when something broke. */
  partial(): PartialAnswer | undefined;
}

interface OpenCall {
  readonly id: string;
  readonly name: string;
  readonly texts: string[];
}

/** Lines of an answer to events, each in its turn. */
export function createDecoder(request: ChatRequest, parts: DecodeParts, window?: number): Decoder {
  const thoughts = parts.createThoughts();
  const ids = new Set<string>();
  const calls = new Map<number, OpenCall>();
  let block: { readonly type: "text" | "reasoning"; readonly id: string } | undefined;
  let blocks = 0;
  const made: ToolCallEvent[] = [];
  let text = "";
  let reasoning = "";
  let usage: Usage | undefined;
  let done = false;

  const close = (): readonly ChatEvent[] => {
    const ended: readonly ChatEvent[] =
      block === undefined ? [] : [{ type: `${block.type}-end`, id: block.id }];
    block = undefined;
    return ended;
  };

  const delta = (type: "text" | "reasoning", piece: string): readonly ChatEvent[] => {
    if (piece === "") return [];
    if (type === "text") text += piece;
    else reasoning += piece;
    const before = block?.type === type ? [] : [...close(), ...closeCalls()];
    if (block === undefined) {
      blocks += 1;
      block = { type, id: `${type}-${blocks}` };
      return [
        ...before,
        { type: `${type}-start`, id: block.id },
        { type: `${type}-delta`, id: block.id, text: piece },
      ];
    }
    return [{ type: `${type}-delta`, id: block.id, text: piece }];
  };

  const said = (
    pieces: readonly { readonly thought: boolean; readonly text: string }[],
  ): readonly ChatEvent[] =>
    pieces.flatMap((piece) => delta(piece.thought ? "reasoning" : "text", piece.text));

  const fragment = (index: number, { id, name = "", input = "" }: PlainCall): readonly ChatEvent[] => {
    const events: ChatEvent[] = [];
    let call = calls.get(index);
    if (call === undefined) {
      events.push(...said(thoughts.end()), ...close());
      call = { id: parts.idOf(id, ids), name, texts: [] };
      ids.add(call.id);
      calls.set(index, call);
      events.push({ type: "tool-input-start", id: call.id, name });
    }
    call.texts.push(input);
    if (input !== "") events.push({ type: "tool-input-delta", id: call.id, text: input });
    return events;
  };

  const closeCalls = (): readonly ChatEvent[] => {
    const events = [...calls.values()].flatMap(({ id, name, texts }): ChatEvent[] => {
      const call = parts.callOf(id, name, texts.join(""));
      made.push(call);
      return [{ type: "tool-input-end", id }, call];
    });
    calls.clear();
    return events;
  };

  const finish = ({ reason, usage: told, calls: last = [] }: PlainLine): readonly ChatEvent[] => {
    done = true;
    usage = parts.usageOf(told, usage);
    const events = [
      ...said(thoughts.end()),
      ...last.flatMap((call, index) => fragment(FROM_TERMINAL + index, call)),
      ...close(),
      ...closeCalls(),
    ];
    const why = parts.finishOf(reason, made.length);
    if (made.length === 0) parts.checkOutput(request, text, why);
    return [...events, { type: "finish", reason: why, usage, context: parts.contextOf(usage, window) }];
  };

  const read = (line: PlainLine): readonly ChatEvent[] => {
    if (line.type === "error")
      throw new LlmError(
        "provider-internal",
        `the backend failed: ${line.message ?? "it does not say why"}`,
        {
          phase: "stream",
        },
      );
    if (line.type === "text") return said(thoughts.add(line.text ?? ""));
    if (line.type === "reasoning") return delta("reasoning", line.text ?? "");
    if (line.type === "call") return fragment(line.index ?? 0, line);
    if (line.type === "usage") usage = parts.usageOf(line.usage, usage);
    return line.type === "end" ? finish(line) : [];
  };

  return {
    start: (warnings) => [{ type: "start", model: request.model, warnings }],
    add(line) {
      const raw: readonly ChatEvent[] = request.includeRaw === true ? [{ type: "raw", value: line }] : [];
      return done ? [] : [...raw, ...read(line)];
    },
    end: () => (done ? [] : parts.unfinished()),
    partial() {
      if (text === "" && reasoning === "" && made.length === 0 && usage === undefined) return undefined;
      return { text, reasoning, toolCalls: [...made], usage };
    },
  };
}

/** Calls of the last piece have places of their own. */
const FROM_TERMINAL = 1_000;

export const DECODE: DecodeParts = {
  createThoughts,

  usageOf: (told, before) => ({
    inputTokens: told?.input ?? before?.inputTokens,
    outputTokens: told?.output ?? before?.outputTokens,
    cachedInputTokens: told?.cached ?? before?.cachedInputTokens,
    reasoningTokens: told?.reasoning ?? before?.reasoningTokens,
  }),

  finishOf(raw, calls) {
    const unified = REASONS[raw ?? ""] ?? "other";
    return { unified: calls > 0 && unified === "stop" ? "tool-calls" : unified, raw };
  },

  callOf(id, name, inputText) {
    const call = { type: "tool-call", id, name, inputText } as const;
    try {
      return { ...call, input: JSON.parse(inputText === "" ? "{}" : inputText) as JsonValue };
    } catch (error) {
      return { ...call, inputError: `the arguments are no JSON: ${(error as Error).message}` };
    }
  },

  idOf(told, taken) {
    const id = told ?? "";
    if (id !== "" && !taken.has(id)) return id;
    for (let number = taken.size + 1; ; number += 1)
      if (!taken.has(`call-${number}`)) return `call-${number}`;
  },

  /** The backend is asked to refuse and not to shift; whether it heeds that shows in its figures only. */
  contextOf({ inputTokens, outputTokens }, window) {
    const context = { window, promptTokens: inputTokens };
    if (window === undefined || inputTokens === undefined || outputTokens === undefined)
      return { ...context, truncated: "unknown" };
    if (inputTokens + outputTokens > window) return { ...context, truncated: "yes" };
    return { ...context, truncated: inputTokens < window ? "no" : "unknown" };
  },

  checkOutput({ responseFormat }, text, { unified }) {
    if (responseFormat?.type !== "json") return;
    const cut = unified === "length";
    const invalid = (says: string, cause?: unknown): LlmError =>
      new LlmError("output-invalid", cut ? `the output was cut by its limit (length): ${says}` : says, {
        phase: "stream",
        retryable: !cut,
        hint: cut ? "raise maxTokens, or ask for a smaller object" : undefined,
        cause,
      });
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw invalid("the output is not JSON", cause);
    }
    const faults = faultsOf(responseFormat.schema, value);
    if (faults.length > 0)
      throw invalid(
        `the output does not fit: ${faults.map(({ path, says }) => `${path.join(".")} ${says}`).join("; ")}`,
      );
  },

  unfinished() {
    throw new LlmError("stream-interrupted", "the answer ended without its last piece", { phase: "stream" });
  },
};

const REASONS: Readonly<Record<string, FinishReason["unified"]>> = {
  stop: "stop",
  length: "length",
  calls: "tool-calls",
  filter: "content-filter",
};
