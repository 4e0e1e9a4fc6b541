import {
  type ChatEvent,
  type ChatRequest,
  type EventBatch,
  type FinishReason,
  type JsonObject,
  type LlmError,
  toLlmError,
  type Timings,
  type Usage,
  type Warning,
} from "@enginehouse/llm-core";

import { createToolCalls, type ToolCalls } from "./tool-calls.ts";
import type { ToolNames } from "./tool-names.ts";

export interface AnswerOptions {
  readonly request: ChatRequest;
  readonly names: ToolNames;
  readonly warnings: readonly Warning[];
  /** Whether a prompt that does not fit is never cut by this server. */
  readonly refusesOverflow: boolean;
}

/** One answer while it is written: its events in order, and what the server has told of it. */
export interface Answer {
  start(): EventBatch;
  text(text: string): void;
  reasoning(text: string): void;
  /** Ends the open block; `providerData` is to come back with the thoughts that it ends, shown or not. */
  endBlock(providerData?: JsonObject): void;
  readonly calls: ToolCalls;
  /** A call follows, so the text before it is over. */
  beforeCall(): void;
  emit(event: ChatEvent): void;
  addUsage(usage: Usage): void;
  /** What was told of the tokens so far. */
  usage(): Usage | undefined;
  timings(timings: Timings): void;
  /** The closing event. */
  finish(reason: FinishReason): void;
  /**
   * Does `work` on what arrived and gives its events. What it throws waits until they are taken: text that came in
   * the same read as an error has come all the same.
   */
  guarded(work: () => void): EventBatch;
  /** The error that waits. */
  fault(): LlmError | undefined;
  readonly finished: boolean;
}

const UNKNOWN: Usage = { inputTokens: undefined, outputTokens: undefined };

export function createAnswer({ request, names, warnings, refusesOverflow }: AnswerOptions): Answer {
  let batch: ChatEvent[] = [];
  let open: { readonly kind: "text" | "reasoning"; readonly id: string } | undefined;
  let blocks = 0;
  let usage: Usage | undefined;
  let timings: Timings | undefined;
  let finished = false;
  let held: LlmError | undefined;

  const emit = (event: ChatEvent): void => void batch.push(event);

  const calls = createToolCalls({ names, emit });

  const endBlock = (providerData?: JsonObject): void => {
    // Thoughts of which nothing was shown have something to come back with all the same.
    if (providerData !== undefined && open?.kind !== "reasoning") openBlock("reasoning");
    if (open === undefined) return;
    const { kind, id } = open;
    open = undefined;
    emit({ type: `${kind}-end`, id, ...(providerData !== undefined && { providerData }) });
  };

  const openBlock = (kind: "text" | "reasoning"): string => {
    if (open?.kind === kind) return open.id;
    endBlock();
    if (calls.count > 0) calls.settle();
    blocks += 1;
    open = { kind, id: String(blocks) };
    emit({ type: `${kind}-start`, id: open.id });
    return open.id;
  };

  return {
    start: () => [{ type: "start", model: request.model, warnings }],
    text(piece) {
      if (piece === "") return;
      const id = open?.kind === "text" ? open.id : openBlock("text");
      batch.push({ type: "text-delta", id, text: piece });
    },
    reasoning(piece) {
      if (piece === "") return;
      const id = openBlock("reasoning");
      emit({ type: "reasoning-delta", id, text: piece });
    },
    endBlock,
    calls,
    beforeCall: () => endBlock(),
    emit,
    addUsage: (told) => void (usage = told),
    usage: () => usage,
    timings: (told) => void (timings = told),
    finish(reason) {
      endBlock();
      const cut = reason.unified === "length";
      calls.end(cut ? "the output limit ended the call" : undefined);
      const unified = withCalls(reason.unified, calls.count > 0);
      finished = true;
      emit({
        type: "finish",
        reason: { unified, raw: reason.raw },
        usage: usage ?? UNKNOWN,
        context: {
          ...(usage?.inputTokens !== undefined && { promptTokens: usage.inputTokens }),
          truncated: refusesOverflow ? "no" : "unknown",
        },
        ...(timings !== undefined && { timings }),
      });
    },
    guarded(work) {
      if (held !== undefined) throw held;
      try {
        work();
      } catch (error) {
        held = toLlmError(error, "provider-internal");
        if (batch.length === 0) throw held;
      }
      const events = batch;
      batch = [];
      return events;
    },
    fault: () => held,
    get finished() {
      return finished;
    },
  };
}

/** Servers say `stop` after calls, and that there were calls where their parser lost them. */
function withCalls(told: FinishReason["unified"], called: boolean): FinishReason["unified"] {
  if (told === "stop" && called) return "tool-calls";
  return told === "tool-calls" && !called ? "other" : told;
}
