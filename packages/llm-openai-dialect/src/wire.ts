// What the servers send, as far as it is read: https://platform.openai.com/docs/api-reference (chat, responses,
// embeddings) with what compatible servers add. Every field may be missing or of another type.

export type WireRecord = Readonly<Record<string, unknown>>;

export const isRecord = (value: unknown): value is WireRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export interface WireChunk {
  readonly choices?: readonly (WireChoice | null | undefined)[] | null | undefined;
  readonly usage?: unknown;
  readonly timings?: unknown;
  readonly prompt_progress?: unknown;
  readonly x_groq?: unknown;
}

export interface WireChoice {
  readonly index?: number | undefined;
  readonly delta?: WireDelta | null | undefined;
  /** In place of `delta` where the answer comes in one piece. */
  readonly message?: WireDelta | null | undefined;
  readonly finish_reason?: string | null | undefined;
  readonly error?: unknown;
}

export interface WireDelta {
  readonly role?: unknown;
  readonly content?: unknown;
  readonly refusal?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly tool_calls?: unknown;
  readonly function_call?: unknown;
}
