/** What the plain wire sends; `src/fakes/plain` describes it. All is optional: nothing that arrives is trusted. */
export interface PlainLine {
  readonly type?: string;
  readonly text?: string;
  readonly model?: string;
  readonly name?: string;
  readonly message?: string;
  /** Of a call's piece. */
  readonly index?: number;
  readonly id?: string | null;
  readonly input?: string;
  /** Of the last piece. */
  readonly reason?: string;
  readonly usage?: PlainUsage;
  readonly calls?: readonly PlainCall[];
  /** Of a download. */
  readonly layer?: number;
  readonly received?: number;
  readonly total?: number;
}

export interface PlainUsage {
  readonly input?: number;
  readonly output?: number;
  readonly cached?: number;
  readonly reasoning?: number;
}

export interface PlainCall {
  readonly id?: string | null;
  readonly name?: string;
  readonly input?: string;
}

export interface PlainModel {
  readonly name: string;
  readonly task?: "chat" | "embedding" | "rerank";
  readonly window?: number;
  readonly features?: readonly string[];
  readonly dimensions?: number;
  readonly sizeBytes?: number;
  readonly quantization?: string;
  readonly license?: string;
  readonly loaded?: boolean;
}

export interface PlainError {
  readonly code?: string;
  readonly message?: string;
  readonly limit?: number;
  readonly tokens?: number;
}
