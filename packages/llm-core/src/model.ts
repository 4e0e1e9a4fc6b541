import type { ChatRequest, Message, ToolDefinition } from "./chat.ts";

/** A model that the backend has, as its list tells it. */
export interface ModelInfo {
  /** What `ChatRequest.model` takes. */
  readonly id: string;
  readonly task?: ModelTask | undefined;
  readonly sizeBytes?: number | undefined;
  readonly quantization?: string | undefined;
  readonly parameters?: number | undefined;
  readonly family?: string | undefined;
  readonly modifiedAt?: Date | undefined;
  readonly loaded?: boolean | undefined;
  /** Made to show how things work: comes last in any automatic choice. */
  readonly demonstration?: boolean | undefined;
  readonly note?: string | undefined;
  /** Why it cannot be used as it is, for instance a damaged file. */
  readonly problem?: string | undefined;
}

export type ModelTask = "chat" | "embedding" | "rerank";

export interface ModelDescription extends ModelInfo {
  readonly capabilities: ModelCapabilities;
  /** The longest window the model was made for, in tokens. */
  readonly contextWindow?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  /** Length of its vectors. */
  readonly dimensions?: number | undefined;
  /** The longest text that its embedder reads, in tokens. */
  readonly maxInputTokens?: number | undefined;
  readonly estimatedMemoryBytes?: number | undefined;
  readonly license?: string | undefined;
}

export interface ModelCapabilities {
  readonly chat: Capability;
  readonly embedding: Capability;
  readonly rerank: Capability;
  readonly tools: Capability;
  readonly vision: Capability;
  readonly reasoning: Capability;
  readonly jsonSchema: Capability;
}

export interface Capability {
  readonly value: "yes" | "no" | "unknown";
  /** `declared` by the plugin or a model package, `reported` by the backend or the file, `probed` by trying. */
  readonly source?: "declared" | "reported" | "probed" | undefined;
}

export interface EmbedRequest {
  readonly model: string;
  readonly texts: readonly string[];
  /** Adds the model's own prefix for it, where it has one. */
  readonly purpose?: "query" | "document" | undefined;
  readonly keepAlive?: number | undefined;
  readonly providerOptions?: ChatRequest["providerOptions"];
}

export interface EmbedResponse {
  readonly model: string;
  /** One for each text, in order, all of one length, of length 1. */
  readonly vectors: readonly Float32Array[];
  readonly usage: { readonly inputTokens: number | undefined };
}

export interface RerankRequest {
  readonly model: string;
  readonly query: string;
  readonly documents: readonly string[];
  readonly keepAlive?: number | undefined;
}

export interface RerankResponse {
  readonly model: string;
  /** One for each document, in the order given; higher fits better. */
  readonly scores: readonly number[];
}

export interface CountRequest {
  readonly model: string;
  /** The messages of a chat, counted with the model's own template; or plain texts, as an embedder reads them. */
  readonly messages?: readonly Message[] | undefined;
  readonly tools?: readonly ToolDefinition[] | undefined;
  readonly texts?: readonly string[] | undefined;
}

export interface CountResponse {
  /** Of the whole prompt, or one for each text summed. */
  readonly tokens: number;
  readonly perText?: readonly number[] | undefined;
  /** The window in force for this model, in tokens, where it is known. */
  readonly window?: number | undefined;
}

export interface Health {
  readonly status: "ok" | "degraded" | "down";
  readonly version?: string | undefined;
  /** What is wrong. */
  readonly message?: string | undefined;
  /** What to do about it, such as the command that starts the backend. */
  readonly hint?: string | undefined;
}

export interface PullRequest {
  readonly model: string;
}

/** `fraction` never falls and ends at 1; without known sizes it is left out. */
export interface PullProgress {
  readonly status: "resolving" | "downloading" | "verifying" | "done";
  readonly fraction?: number | undefined;
  readonly receivedBytes?: number | undefined;
  readonly totalBytes?: number | undefined;
  /** The id under which the model can now be used; with `done`. */
  readonly model?: string | undefined;
}

export interface LoadRequest {
  readonly model: string;
  readonly contextWindow?: number | undefined;
  readonly keepAlive?: number | undefined;
  readonly providerOptions?: ChatRequest["providerOptions"];
}

export interface LoadedModel {
  readonly id: string;
  /** The window that is really in force, in tokens. */
  readonly contextWindow?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly gpuMemoryBytes?: number | undefined;
  readonly expiresAt?: Date | undefined;
}
