import {
  type ChatEvent,
  type ChatRequest,
  type EventBatch,
  type FinishReason,
  isLlmError,
  type JsonObject,
  type LlmError,
  type PartialAnswer,
  type Timings,
  type ToolCallEvent,
  type Usage,
  type Warning,
  withDetails,
} from "@enginehouse/llm-core";

import { faultOfOutput } from "./output.ts";
import { createToolCalls, type ToolCalls } from "./tool-calls.ts";
import type { ToolNames } from "./tool-names.ts";

export interface AnswerOptions {
  readonly request: ChatRequest;
  readonly names: ToolNames;
  readonly warnings: readonly Warning[];
  /** Whether a prompt that does not fit is never cut by this server. */
  readonly refusesOverflow: boolean;
}

/** One answer while it is written: its events in order, and all that it has said so far. */
export interface Answer {
  start(): EventBatch;
  text(text: string): void;
  reasoning(text: string): void;
  /** Ends the open block; `providerData` is to come back with it. */
  endBlock(providerData?: JsonObject): void;
  readonly calls: ToolCalls;
  /** A call follows, so the text before it is over. */
  beforeCall(): void;
  emit(event: ChatEvent): void;
  usage(usage: Usage): void;
  timings(timings: Timings): void;
  /** The closing event. Throws when the output is not what was asked for. */
  finish(reason: FinishReason): void;
  /**
   * Does `work` on what arrived and gives its events. What it throws waits, with all that the answer has said, until
   * they are taken: text that came in the same read as an error has come all the same.
   */
  guarded(work: () => void): EventBatch;
  /** The error that waits. */
  fault(): LlmError | undefined;
  readonly finished: boolean;
}

const UNKNOWN: Usage = { inputTokens: undefined, outputTokens: undefined };

export function createAnswer({ request, names, warnings, refusesOverflow }: AnswerOptions): Answer {
  let batch: ChatEvent[] = [];
  const text: string[] = [];
  const reasoning: string[] = [];
  const whole: ToolCallEvent[] = [];
  let open: { readonly kind: "text" | "reasoning"; readonly id: string } | undefined;
  let blocks = 0;
  let usage: Usage | undefined;
  let timings: Timings | undefined;
  let finished = false;
  let held: LlmError | undefined;

  const emit = (event: ChatEvent): void => void batch.push(event);

  const calls = createToolCalls({
    names,
    emit,
    whole(call) {
      whole.push(call);
      emit(call);
    },
  });

  const endBlock = (providerData?: JsonObject): void => {
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

  const partial = (): PartialAnswer => ({
    text: text.join(""),
    reasoning: reasoning.join(""),
    toolCalls: [...whole],
    usage,
  });

  const complete = (error: LlmError): LlmError =>
    blocks === 0 && calls.count === 0 && usage === undefined
      ? error
      : withDetails(error, { phase: "stream", partial: partial() });

  return {
    start: () => [{ type: "start", model: request.model, warnings }],
    text(piece) {
      if (piece === "") return;
      const id = open?.kind === "text" ? open.id : openBlock("text");
      text.push(piece);
      batch.push({ type: "text-delta", id, text: piece });
    },
    reasoning(piece) {
      if (piece === "") return;
      const id = openBlock("reasoning");
      reasoning.push(piece);
      emit({ type: "reasoning-delta", id, text: piece });
    },
    endBlock,
    calls,
    beforeCall: () => endBlock(),
    emit,
    usage: (told) => void (usage = told),
    timings: (told) => void (timings = told),
    finish(reason) {
      endBlock();
      const cut = reason.unified === "length";
      calls.end(cut ? "the output limit ended the call" : undefined);
      const unified = calls.count > 0 && reason.unified === "stop" ? "tool-calls" : reason.unified;
      const wrong = faultOfOutput(request, text, {
        cut,
        calls: whole.length,
        withheld: unified === "content-filter",
      });
      if (wrong !== undefined) throw wrong;
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
        held = isLlmError(error) ? complete(error) : (error as LlmError);
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
