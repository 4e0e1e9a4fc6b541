/** Everything that all ways have in common, so that what differs is the way. */
export interface Setting {
  readonly model: { readonly id: string; readonly path: string };
  /** What the user asks for: a toy can only copy for long. */
  readonly task: "copy" | "story";
  /** Chats at the same time. */
  readonly parallel: number;
  /** How often so many chats are held. */
  readonly waves: number;
  /** The most tokens of each answer. */
  readonly tokens: number;
  /** Whether to measure a second turn, too. */
  readonly conversation: boolean;
}

export const THREADS = 1;
export const WINDOW = 1_024;
/** Said in full, for the library's own values are others. */
export const SAMPLING = { temperature: 0, topP: 0.95, topK: 40, minP: 0, seed: 7 } as const;

export interface Turn {
  readonly role: "user" | "assistant";
  readonly content: string;
}

export interface Answer {
  readonly text: string;
  readonly promptTokens: number;
  /** Of the prompt: what the cache did not have. */
  readonly evaluatedTokens: number;
  readonly outputTokens: number;
  /** Milliseconds to the first text. */
  readonly firstMs: number;
}

/** One way to hold a chat. */
export interface Talker {
  /** `lane` says which of the parallel chats it is. */
  chat(turns: readonly Turn[], maxTokens: number, lane: number): Promise<Answer>;
  close(): Promise<void>;
}

/** node-llama-cpp by hand; the provider in the same process; the provider as it is without settings. */
export const WAYS = ["direct", "none", "process"] as const;
export type Way = (typeof WAYS)[number];

/** What one process measured. */
export interface Measured {
  readonly waves: readonly { readonly ms: number; readonly answers: readonly Answer[] }[];
  /** Two turns, or none. */
  readonly conversation: readonly Answer[];
}
