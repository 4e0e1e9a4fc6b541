import type { LlmErrorInit, ErrorCode } from "@enginehouse/llm-core";
import type { ChatHistoryItem, ChatModelFunctions } from "node-llama-cpp";

// What travels between the provider and its engine, which lives in a child process or beside it: plain data only.
// The engine's reference is https://node-llama-cpp.withcat.ai/api/ (LlamaChat, LlamaContext).

/** What holds for the whole engine. */
export interface EngineOptions {
  readonly gpu: "auto" | "metal" | "cuda" | "vulkan" | false;
  readonly gpuLayers: "auto" | "max" | number;
  readonly threads: number;
  /** The largest window to make room for; `undefined`: up to 8,192 tokens, less where memory is short. */
  readonly contextWindow: number | undefined;
  /** Chats of one model that run at the same time. */
  readonly parallel: number;
  readonly keepAlive: number;
}

export interface ModelRef {
  readonly id: string;
  readonly path: string;
  /** Tells the file from another one under its name. */
  readonly stamp?: string | undefined;
  readonly contextWindow?: number | undefined;
  /** Load it although the memory seems not to suffice. */
  readonly force?: boolean | undefined;
}

interface Job {
  readonly model: ModelRef;
  readonly keepAlive?: number | undefined;
}

export interface ChatJob extends Job {
  /** Ends with the model's turn, empty or begun. */
  readonly history: readonly ChatHistoryItem[];
  readonly functions?: ChatModelFunctions | undefined;
  /** The answer must begin with a call. */
  readonly mustCall: boolean;
  readonly grammar?: string | undefined;
  readonly thoughts: Thoughts;
  readonly sampling: Sampling;
  readonly stop: readonly string[];
  readonly maxTokens?: number | undefined;
}

/** `wanted`: the caller asked for it, so a model that cannot think is worth a word. */
export interface Thoughts {
  readonly wanted: boolean | undefined;
  /** The most tokens to think; `undefined`: as many as the model likes. */
  readonly budget?: number | undefined;
}

export interface Sampling {
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly minP: number;
  readonly seed?: number | undefined;
  readonly repeatPenalty:
    | false
    | { readonly penalty: number; readonly frequencyPenalty: number; readonly presencePenalty: number };
}

export type EngineEvent =
  | { readonly kind: "status"; readonly status: "queued" | "loading" | "prefill"; readonly progress?: number }
  /** The model is there and the prompt fits. */
  | { readonly kind: "ready"; readonly lacks: readonly ModelLack[] }
  | { readonly kind: "text" | "thought"; readonly text: string }
  | { readonly kind: "call-text"; readonly index: number; readonly name: string; readonly text: string }
  /** `error`: what the model wrote is not what the tool takes. */
  | { readonly kind: "call-end"; readonly index: number; readonly name: string; readonly error?: string }
  | { readonly kind: "end"; readonly outcome: ChatOutcome };

/** What a chat asked for and this model has not got. */
export type ModelLack = "reasoning" | "chat-template" | "forced-call";

export interface ChatOutcome {
  /** node-llama-cpp's word, or `contextWindow` when the window was full. */
  readonly stop: string;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly thoughtTokens: number;
  readonly window: number;
  /** Milliseconds. */
  readonly timings: {
    readonly queue: number;
    readonly load: number;
    readonly prompt: number;
    readonly generation: number;
  };
}

/** Questions with one answer each. */
export interface Asks {
  embed: {
    job: Job & { readonly texts: readonly string[] };
    reply: { vectors: Float32Array[]; tokens: number };
  };
  rerank: {
    job: Job & { readonly query: string; readonly documents: readonly string[] };
    reply: { scores: number[] };
  };
  count: {
    job: Job & {
      readonly history?: readonly ChatHistoryItem[] | undefined;
      readonly functions?: ChatModelFunctions | undefined;
      readonly texts?: readonly string[] | undefined;
    };
    reply: { tokens: number; perText?: number[] | undefined; window: number | undefined };
  };
  load: { job: Job; reply: Resident };
  unload: { job: { readonly path: string }; reply: undefined };
  loaded: { job: undefined; reply: Resident[] };
}

/** A model in memory. */
export interface Resident {
  readonly id: string;
  readonly path: string;
  readonly contextWindow: number | undefined;
  readonly memoryBytes: number;
  readonly gpuMemoryBytes: number;
  /** Milliseconds since 1970; `undefined` while it works or stays for good. */
  readonly expiresAt: number | undefined;
}

/** An engine, wherever it runs. Its faults are `LlmError`s. */
export interface Engine {
  /** Batches of what is ready; the last one ends with `end`. Nothing is generated far ahead of the reader. Leaving the loop stops the work. */
  chat(job: ChatJob, signal: AbortSignal): AsyncIterableIterator<readonly EngineEvent[]>;
  /** `onEvent` hears `loading` while the model loads and `ready` when it is there. */
  ask<K extends keyof Asks>(
    op: K,
    job: Asks[K]["job"],
    signal: AbortSignal,
    onEvent?: (event: EngineEvent) => void,
  ): Promise<Asks[K]["reply"]>;
  /** Ends running work; idempotent. */
  close(): Promise<void>;
}

/** From the provider to the child. */
export type ToChild =
  | { readonly type: "open"; readonly options: EngineOptions }
  | { readonly type: "chat"; readonly call: number; readonly job: ChatJob }
  | { readonly type: "ask"; readonly call: number; readonly op: keyof Asks; readonly job: unknown }
  /** One more batch may be sent. */
  | { readonly type: "more"; readonly call: number }
  | { readonly type: "stop"; readonly call: number };

/** From the child to the provider. */
export type FromChild =
  | { readonly type: "events"; readonly call: number; readonly events: readonly EngineEvent[] }
  | { readonly type: "reply"; readonly call: number; readonly reply: unknown }
  | { readonly type: "fault"; readonly call: number; readonly fault: Fault }
  /** Nothing is loaded and nothing runs. `after`: the last call that it knows of. */
  | { readonly type: "empty"; readonly after: number };

/** An `LlmError` as data. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Omit<LlmErrorInit, "cause" | "partial">;
  readonly cause?: string | undefined;
}
