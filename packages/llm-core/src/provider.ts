import type { ChatRequest } from "./chat.ts";
import type { ChatEvent } from "./events.ts";
import type {
  CountRequest,
  CountResponse,
  EmbedRequest,
  EmbedResponse,
  Health,
  LoadRequest,
  LoadedModel,
  ModelDescription,
  ModelInfo,
  PullProgress,
  PullRequest,
  RerankRequest,
  RerankResponse,
} from "./model.ts";

/** The version of this contract. A host accepts plugins of this version and of the one before it. */
export const CONTRACT_VERSION = 1;

/**
 * One configured connection to one backend.
 *
 * Every method rejects with an `LlmError` and with nothing else (`health` never rejects).
 * Every method that takes a `signal` stops the work at the backend, not only the promise.
 * A provider keeps no conversation: the same request may be sent to another one.
 * A provider never retries, and never pulls a model because a chat asked for it.
 * Each optional method is present exactly when the manifest's operations name it.
 */
export interface Provider {
  /** The name it was made under, by default the plugin's id. Used in model references, errors and metrics. */
  readonly name: string;

  /** One assistant message, in events: one `start` first, one `finish` last. Leaving the loop early cancels the call. */
  stream?(request: ChatRequest, options?: CallOptions): AsyncIterable<ChatEvent>;

  /** Texts in, vectors of length 1 out, in order. A text too long is `input-too-long`, never cut. */
  embed?(request: EmbedRequest, options?: CallOptions): Promise<EmbedResponse>;

  /** How well each document answers the query, in the order given. */
  rerank?(request: RerankRequest, options?: CallOptions): Promise<RerankResponse>;

  /** Tokens as the model itself counts them. */
  countTokens?(request: CountRequest, options?: CallOptions): Promise<CountResponse>;

  /** Whether the backend can be used now. Never rejects, changes nothing, answers within two seconds. */
  health?(options?: CallOptions): Promise<Health>;

  /** The models that can be used now, each under the id that `stream` and `embed` take. */
  listModels?(options?: CallOptions): Promise<readonly ModelInfo[]>;

  /** What is known of one model. An unknown one is `model-not-found`. */
  describeModel?(model: string, options?: CallOptions): Promise<ModelDescription>;

  /** Fetches a model. Progress never falls; leaving the loop cancels; pulling again resumes; pulls of one model share the work. */
  pullModel?(request: PullRequest, options?: CallOptions): AsyncIterable<PullProgress>;

  /** Removes a model from the backend's disk. */
  deleteModel?(model: string, options?: CallOptions): Promise<void>;

  /** Loads a model, once however often it is asked, and tells the window that is really in force. */
  loadModel?(request: LoadRequest, options?: CallOptions): Promise<LoadedModel>;

  /** Frees a model's memory. One that is not loaded is no error. */
  unloadModel?(model: string, options?: CallOptions): Promise<void>;

  loadedModels?(options?: CallOptions): Promise<readonly LoadedModel[]>;

  /** Ends running calls and frees all that is held: sockets, timers, child processes. Idempotent. Later calls fail with `shut-down`. */
  close(): Promise<void>;
}

/** What goes with one call and is not part of the request. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeouts?: Timeouts | undefined;
}

/** Milliseconds; `Infinity` switches one off. */
export interface Timeouts {
  /** Until the backend accepts the connection. Default 5 000. */
  readonly connect?: number | undefined;
  /** Until the first event: a backend may load, queue and read the prompt in silence. Default 600 000. */
  readonly firstEvent?: number | undefined;
  /** Between two signs of life after that. Default 120 000. */
  readonly idle?: number | undefined;
  /** Of the whole call. Default none. */
  readonly total?: number | undefined;
}

export const DEFAULT_TIMEOUTS: Required<{ [K in keyof Timeouts]: number }> = {
  connect: 5_000,
  firstEvent: 600_000,
  idle: 120_000,
  total: Number.POSITIVE_INFINITY,
};

/** The manifest's word for each optional method. */
export const OPERATIONS = {
  chat: "stream",
  embed: "embed",
  rerank: "rerank",
  count: "countTokens",
  health: "health",
  list: "listModels",
  describe: "describeModel",
  pull: "pullModel",
  delete: "deleteModel",
  load: "loadModel",
  unload: "unloadModel",
  loaded: "loadedModels",
} as const satisfies Record<string, keyof Provider>;

export type Operation = keyof typeof OPERATIONS;

/** What a provider's chat can pass on to its backend. */
export type Feature = "tools" | "json-schema" | "reasoning" | "vision";
