import type { Provider } from "@enginehouse/llm-core";

import type { Needs } from "../check.ts";

/** One shape that answers of a real backend have, whatever its model says. */
export interface LiveCheck {
  /** `live-stream` */
  readonly id: string;
  readonly promise: string;
  readonly needs?: Pick<Needs, "operations" | "features"> | undefined;
  /** Needs the name of an embedding model. */
  readonly embeds?: boolean | undefined;
  readonly run: (bench: LiveBench) => Promise<void>;
}

export interface LiveBench {
  readonly provider: Provider;
  /** Where the backend is, and where the embedding model has a server of its own. */
  readonly addresses: readonly string[];
  readonly model: string;
  readonly embeddingModel: string | undefined;
  readonly signal: AbortSignal;
}
