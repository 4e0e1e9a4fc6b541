import {
  type ChatEvent,
  type ChatRequest,
  type FinishReason,
  type LoadedModel,
  LlmError,
  type Usage,
  type Warning,
} from "@enginehouse/llm-core";

import { faultOfOutput, readInput } from "./engine/checked-output.ts";
import type { ChatOutcome, EngineEvent, ModelLack, Resident } from "./wire.ts";

export interface ChatDecoder {
  /** The events for one batch of the engine's. */
  add(batch: readonly EngineEvent[]): ChatEvent[];
  /** Set by the end of an answer that is none: it belongs after the events that led to it. */
  fault(): LlmError | undefined;
}

export interface DecoderOptions {
  readonly request: ChatRequest;
  readonly warnings: readonly Warning[];
  readonly newCallId: () => string;
  /** What the output has to fit, where it was asked to. */
  readonly schema?: unknown;
}

export function createDecoder({ request, warnings, newCallId, schema }: DecoderOptions): ChatDecoder {
  const events: ChatEvent[] = [];
  const output = { text: [] as string[], thought: [] as string[] };
  let fault: LlmError | undefined;
  let started = false;
  let block: { readonly kind: "text" | "thought"; readonly id: string } | undefined;
  let blocks = 0;
  let call:
    | { readonly index: number; readonly name: string; readonly id: string; text: string; held: string }
    | undefined;
  let calls = 0;
  // A model's wish that only the model can grant, and a prompt that core may shorten: both are known when it is loaded.
  const startsLate =
    request.overflow === "drop-oldest" || request.reasoning !== undefined || request.toolChoice !== undefined;

  const start = (more: readonly Warning[]): void => {
    if (!started) events.push({ type: "start", model: request.model, warnings: [...warnings, ...more] });
    started = true;
  };
  const closeBlock = (): void => {
    if (block !== undefined)
      events.push({ type: block.kind === "text" ? "text-end" : "reasoning-end", id: block.id });
    block = undefined;
  };
  const addText = (kind: "text" | "thought", text: string): void => {
    if (block?.kind !== kind) {
      closeBlock();
      blocks += 1;
      block = { kind, id: String(blocks) };
      events.push({ type: kind === "text" ? "text-start" : "reasoning-start", id: block.id });
    }
    events.push({ type: kind === "text" ? "text-delta" : "reasoning-delta", id: block.id, text });
    if (schema !== undefined) output[kind].push(text);
  };
  const openCall = (index: number, name: string): NonNullable<typeof call> => {
    if (call?.index === index) return call;
    closeBlock();
    call = { index, name, id: newCallId(), text: "", held: "" };
    events.push({ type: "tool-input-start", id: call.id, name });
    return call;
  };
  const schemaOf = (name: string): unknown => request.tools?.find((tool) => tool.name === name)?.inputSchema;
  const closeCall = (open: NonNullable<typeof call>, error: string | undefined): void => {
    const { id, name } = open;
    const inputText = open.text;
    events.push(
      { type: "tool-input-end", id },
      { type: "tool-call", id, name, inputText, ...readInput(inputText, error, schemaOf(name)) },
    );
    call = undefined;
    calls += 1;
  };

  function finish(outcome: ChatOutcome): void {
    closeBlock();
    if (call !== undefined) closeCall(call, "the output limit ended the call");
    const { window, promptTokens, timings } = outcome;
    const unified = reasonOf(outcome.stop, calls);
    const usage: Usage = {
      inputTokens: promptTokens,
      outputTokens: outcome.outputTokens,
      cachedInputTokens: outcome.cachedTokens,
      reasoningTokens: outcome.thoughtTokens,
    };
    if (schema !== undefined) {
      const [answer, reasoning] = [output.text.join(""), output.thought.join("")];
      const partial = { text: answer, reasoning, toolCalls: [], usage };
      fault = faultOfOutput(partial, schema, unified === "length");
      if (fault !== undefined) return;
    }
    events.push({
      type: "finish",
      reason: { unified, raw: outcome.stop },
      usage,
      context: { window, promptTokens, truncated: "no" },
      timings: {
        queueMs: timings.queue,
        loadMs: timings.load,
        promptMs: timings.prompt,
        generationMs: timings.generation,
      },
    });
  }

  return {
    add(batch) {
      events.length = 0;
      for (const event of batch) {
        if (request.includeRaw === true && started) events.push({ type: "raw", value: event });
        switch (event.kind) {
          case "status": {
            if (!started && startsLate) break;
            start([]);
            const { status, progress } = event;
            events.push({ type: "status", status, ...(progress !== undefined && { progress }) });
            break;
          }
          case "ready":
            if (!started) start(event.lacks.map((lack) => lackWarning(lack, request)));
            break;
          case "text":
          case "thought":
            addText(event.kind, event.text);
            break;
          case "call-text": {
            const open = openCall(event.index, event.name);
            // The grammar of a call ends with line breaks, which are no part of its JSON: they wait for what follows.
            const whole = open.held + event.text;
            const text = whole.replace(/\n+$/, "");
            open.held = whole.slice(text.length);
            if (text !== "") {
              open.text += text;
              events.push({ type: "tool-input-delta", id: open.id, text });
            }
            break;
          }
          case "call-end":
            closeCall(openCall(event.index, event.name), event.error);
            break;
          case "end":
            finish(event.outcome);
            break;
        }
      }
      return [...events];
    },
    fault: () => fault,
  };
}

function reasonOf(stop: string, calls: number): FinishReason["unified"] {
  if (stop === "maxTokens" || stop === "contextWindow") return "length";
  if (calls > 0 || stop === "functionCalls") return "tool-calls";
  if (stop === "eogToken" || stop === "stopGenerationTrigger" || stop === "customStopTrigger") return "stop";
  return "other";
}

const LACKS: Record<ModelLack, { readonly option: string; readonly message: string }> = {
  reasoning: { option: "reasoning", message: "this model's template knows no thoughts" },
  "forced-call": {
    option: "toolChoice",
    message: "this model's template cannot be made to begin with a call",
  },
  "chat-template": {
    option: "messages",
    message: "this model has no chat template: a plain format is used, and it may answer badly",
  },
};

/** Throws where the request's policy makes a fault of it. */
function lackWarning(lack: ModelLack, request: ChatRequest): Warning {
  const { option, message } = LACKS[lack];
  if (lack === "chat-template") return { code: "other", option, message };
  if (request.unsupported === "warn") return { code: "unsupported", option, message };
  throw new LlmError("unsupported", message, {
    hint: `leave "${option}" out, choose another model, or set unsupported to "warn"`,
  });
}

export function decodeResident({
  id,
  contextWindow,
  memoryBytes,
  gpuMemoryBytes,
  expiresAt,
}: Resident): LoadedModel {
  return {
    id,
    contextWindow,
    memoryBytes,
    gpuMemoryBytes,
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) }),
  };
}
