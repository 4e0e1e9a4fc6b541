// What the server says, as far as we read it. Guard cheaply where it counts: a schema for each line would cost more
// than the line.

export type Line =
  | { readonly type: "start"; readonly model: string }
  | { readonly type: "text" | "reasoning"; readonly text: string }
  | CallLine
  | { readonly type: "usage"; readonly usage: WireUsage }
  | EndLine
  | { readonly type: "error"; readonly message: string };

/** One part of a tool call; id and name come with the first. */
export interface CallLine {
  readonly type: "call";
  readonly index: number;
  readonly id?: string | null;
  readonly name?: string;
  readonly input?: string;
}

export interface EndLine {
  readonly type: "end";
  readonly reason: string;
  readonly usage?: WireUsage;
  readonly calls?: readonly WholeCall[];
}

export interface WholeCall {
  readonly id?: string | null;
  readonly name: string;
  readonly input?: string;
}

export interface WireUsage {
  readonly input?: number;
  readonly output?: number;
  readonly cached?: number;
  readonly reasoning?: number;
}

export interface WireModel {
  readonly name: string;
  readonly task: "chat" | "embedding" | "rerank";
  readonly window: number;
  readonly features: readonly string[];
  readonly dimensions?: number;
  readonly sizeBytes?: number;
  readonly quantization?: string;
  readonly license?: string;
  readonly loaded: boolean;
}

export interface WireEmbeddings {
  readonly vectors?: unknown;
  readonly usage?: { readonly input?: number };
}

/** A refusal: `{"error":{"code","message"}}`, with figures where something was too long. */
export interface WireRefusal {
  readonly error?: {
    readonly code?: string;
    readonly message?: string;
    readonly tokens?: number;
    readonly limit?: number;
  };
}
