import type { JsonObject, JsonValue } from "./json.ts";

/** What a stream yields. Consumers ignore types that they do not know. */
export type ChatEvent =
  | StartEvent
  | StatusEvent
  | TextStartEvent
  | TextDeltaEvent
  | TextEndEvent
  | ReasoningStartEvent
  | ReasoningDeltaEvent
  | ReasoningEndEvent
  | ToolInputStartEvent
  | ToolInputDeltaEvent
  | ToolInputEndEvent
  | ToolCallEvent
  | RawEvent
  | FinishEvent;

/** First, and once. */
export interface StartEvent {
  readonly type: "start";
  readonly model: string;
  readonly warnings: readonly Warning[];
}

/** Why nothing comes yet. */
export interface StatusEvent {
  readonly type: "status";
  readonly status: "queued" | "loading" | "prefill";
  /** From 0 to 1, where it is known. */
  readonly progress?: number | undefined;
}

export interface TextStartEvent {
  readonly type: "text-start";
  readonly id: string;
}
export interface TextDeltaEvent {
  readonly type: "text-delta";
  readonly id: string;
  readonly text: string;
}
export interface TextEndEvent {
  readonly type: "text-end";
  readonly id: string;
  /** What the provider wants back with this part in the next request. */
  readonly providerData?: JsonObject | undefined;
}
export interface ReasoningStartEvent {
  readonly type: "reasoning-start";
  readonly id: string;
}
export interface ReasoningDeltaEvent {
  readonly type: "reasoning-delta";
  readonly id: string;
  readonly text: string;
}
export interface ReasoningEndEvent {
  readonly type: "reasoning-end";
  readonly id: string;
  /** What the provider wants back with this part in the next request. */
  readonly providerData?: JsonObject | undefined;
}
export interface ToolInputStartEvent {
  readonly type: "tool-input-start";
  readonly id: string;
  readonly name: string;
}
export interface ToolInputDeltaEvent {
  readonly type: "tool-input-delta";
  readonly id: string;
  readonly text: string;
}
export interface ToolInputEndEvent {
  readonly type: "tool-input-end";
  readonly id: string;
}

/** One whole call. `input` is there when `inputText` is JSON (no text at all means `{}`), else `inputError` says why not. */
export interface ToolCallEvent {
  readonly type: "tool-call";
  /** Unique within the answer, also where the backend gave none or one twice. */
  readonly id: string;
  readonly name: string;
  /** The arguments as the model wrote them. */
  readonly inputText: string;
  readonly input?: JsonValue | undefined;
  readonly inputError?: string | undefined;
  /** What the provider wants back with this part in the next request. */
  readonly providerData?: JsonObject | undefined;
}

export interface RawEvent {
  readonly type: "raw";
  readonly value: unknown;
}

/** Last, and once. A stream that ends without it has failed. */
export interface FinishEvent {
  readonly type: "finish";
  readonly reason: FinishReason;
  readonly usage: Usage;
  readonly context: ContextReport;
  readonly timings?: Timings | undefined;
}

export interface FinishReason {
  readonly unified: "stop" | "length" | "tool-calls" | "content-filter" | "other";
  /** The backend's own word. */
  readonly raw: string | undefined;
}

/** Tokens. What the backend does not tell is `undefined`, never 0. */
export interface Usage {
  /** The whole prompt, cached tokens included. */
  readonly inputTokens: number | undefined;
  /** All that was generated, reasoning included. */
  readonly outputTokens: number | undefined;
  /** The part of the prompt that was not evaluated again. */
  readonly cachedInputTokens?: number | undefined;
  readonly reasoningTokens?: number | undefined;
}

export interface ContextReport {
  /** The window that was in force, in tokens. */
  readonly window?: number | undefined;
  readonly promptTokens?: number | undefined;
  /** Whether the backend cut the prompt. `no` is said only when it is known. */
  readonly truncated: "no" | "yes" | "unknown";
}

/** Milliseconds, as the backend or the engine measured them. */
export interface Timings {
  readonly queueMs?: number | undefined;
  readonly loadMs?: number | undefined;
  readonly promptMs?: number | undefined;
  readonly generationMs?: number | undefined;
}

/** Something that was asked for and not done, or done differently. */
export interface Warning {
  readonly code: "unsupported" | "dropped" | "adjusted" | "other";
  /** The request's option that this is about. */
  readonly option?: string | undefined;
  readonly message: string;
}
