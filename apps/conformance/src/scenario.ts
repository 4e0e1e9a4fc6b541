import type { Feature, JsonObject, ModelTask } from "@enginehouse/llm-core";

/**
 * What a fake backend has and does, as data. Every wire says it in its own words, and a report can print it.
 * Left out: the installed models below, and one short answer to every chat.
 */
export interface Scenario {
  readonly models?: readonly ModelScript[] | undefined;
  /** One for each chat request in turn; the last goes on for all later ones. */
  readonly chats?: readonly ChatScript[] | undefined;
  readonly embeds?: readonly EmbedScript[] | undefined;
  readonly pulls?: readonly PullScript[] | undefined;
  readonly loads?: readonly LoadScript[] | undefined;
  /** The reply to every request, whatever it asks. */
  readonly refusesAll?: Refusal | undefined;
  /** Requests without this key are refused as the wire refuses them. */
  readonly key?: string | undefined;
  /** Nothing listens at the address. */
  readonly down?: boolean | undefined;
  /** The address takes connections and never answers. */
  readonly silent?: boolean | undefined;
  /** The backend's version, as its version call tells it. */
  readonly version?: string | undefined;
  /** Where it listens. Default any free port. */
  readonly port?: number | undefined;
  /** How many generations run at once; the others wait. Default no limit. */
  readonly parallel?: number | undefined;
}

export interface ModelScript {
  readonly id: string;
  readonly task: ModelTask;
  /** Tokens. A fake counts one token for each word, in whatever language: what white space divides. */
  readonly window: number;
  /** False: can be pulled. Default true. */
  readonly installed?: boolean | undefined;
  readonly loaded?: boolean | undefined;
  /**
   * Makes room in silence, by forgetting the oldest tokens: of a prompt that does not fit, and while it writes.
   * Left out: such a prompt is refused, and an answer ends with `length` where the window is full, as far as the
   * wire's server does so when it is asked to.
   */
  readonly forgets?: boolean | undefined;
  readonly features?: readonly Feature[] | undefined;
  readonly dimensions?: number | undefined;
  readonly sizeBytes?: number | undefined;
  readonly quantization?: string | undefined;
  readonly license?: string | undefined;
}

/** What is installed unless a scenario says otherwise. */
export const DEFAULT_MODELS: readonly ModelScript[] = [
  {
    id: "kit-chat",
    task: "chat",
    window: 2_048,
    features: ["tools", "json-schema", "reasoning", "vision"],
    sizeBytes: 1_000_000,
    quantization: "Q8_0",
    license: "Apache-2.0",
  },
  {
    id: "kit-embed",
    task: "embedding",
    window: 128,
    dimensions: 8,
    sizeBytes: 500_000,
    license: "Apache-2.0",
  },
  { id: "kit-rerank", task: "rerank", window: 128, sizeBytes: 500_000, license: "Apache-2.0" },
];

/** One reply to one chat request. */
export interface ChatScript {
  readonly steps?: readonly Step[] | undefined;
  /** How it ends. Default `stop`, or `tool-calls` after a call. `none`: the body ends politely, without the wire's terminal piece. */
  readonly end?: End | undefined;
  /** Default: the words of the prompt and of the answer. `absent`: the backend tells none. */
  readonly usage?: UsageScript | "absent" | undefined;
  /** Counts so far come before the first piece, too: the prompt's, and one token of the answer. */
  readonly usageEarly?: boolean | undefined;
  readonly form?: WireForm | undefined;
  /** Milliseconds between the request and the headers; `never`: it keeps silent with the connection open. */
  readonly headersAfter?: number | "never" | undefined;
  /** In place of an answer. */
  readonly refusal?: Refusal | undefined;
}

export type End = "stop" | "length" | "tool-calls" | "content-filter" | "none" | { readonly raw: string };

export type Step =
  | { readonly text: string }
  | { readonly reasoning: string }
  | { readonly call: CallScript }
  /** Fragments of several calls, in turns. */
  | { readonly interleaved: readonly CallScript[] }
  | { readonly pause: number | "forever" }
  /** An error inside the stream, after status 200. */
  | { readonly error: string }
  /** A piece that is not of the protocol, sent as it is. */
  | { readonly malformed: string }
  /** A piece that carries nothing. */
  | { readonly empty: true }
  /** `reset`: the connection breaks · `close`: the body is cut short. */
  | { readonly cut: "reset" | "close" };

export interface CallScript {
  readonly name: string;
  /** Arguments; a text goes to the wire as it is, whether JSON or not. */
  readonly input?: JsonObject | string | undefined;
  /** The backend's id for it. Default one of its own; `null` and `""` are sent as such; `absent`: the field is left out. */
  readonly id?: string | null | undefined;
  readonly idAbsent?: boolean | undefined;
  /** Into how many pieces the arguments are cut. Default 1. */
  readonly pieces?: number | undefined;
  /** Comes inside the wire's terminal piece. */
  readonly terminal?: boolean | undefined;
}

export interface UsageScript {
  readonly input?: number | undefined;
  readonly output?: number | undefined;
  readonly cached?: number | undefined;
  readonly reasoning?: number | undefined;
}

/** How the bytes of a reply are laid out. */
export interface WireForm {
  /** Bytes for each write: 1 cuts every character and every line. */
  readonly bytes?: number | undefined;
  /** All in one write. */
  readonly merged?: boolean | undefined;
  readonly crlf?: boolean | undefined;
  /** Blank lines and, where the wire has them, comments between pieces. */
  readonly blanks?: boolean | undefined;
  /** Fields that no client knows, on every piece. */
  readonly unknownFields?: boolean | undefined;
  /** No role, no opening piece: the first piece carries text already. */
  readonly bare?: boolean | undefined;
  /** Only the fields that carry the answer: no ids, times or model names. */
  readonly lean?: boolean | undefined;
}

/** An answer that says no, worded as the wire's real server words it. */
export interface Refusal {
  readonly status: number;
  /** Default: the wire's own error body for this status. */
  readonly body?: "own" | "html" | "empty" | { readonly text: string } | undefined;
  readonly message?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** What is refused, for wires that word it specially. */
  readonly because?: "model-missing" | "overflow" | "too-long" | "out-of-memory" | "output-cut" | undefined;
}

export interface EmbedScript {
  readonly refusal?: Refusal | undefined;
  readonly usage?: UsageScript | "absent" | undefined;
  readonly headersAfter?: number | "never" | undefined;
  /** One answer goes wrong: a vector is missing, has another length, or holds what is no number. */
  readonly spoiled?: "missing" | "ragged" | "nan" | undefined;
  /** How long its vectors are. Default 1. */
  readonly norm?: number | undefined;
  /** Texts beyond this number in one request are refused. */
  readonly batchLimit?: number | undefined;
}

/** The course of one download, layer after layer; the size of a layer is unknown until it begins. */
export interface PullScript {
  readonly layers?: readonly number[] | undefined;
  /** Bytes for each progress piece. Default a quarter of a layer. */
  readonly stepBytes?: number | undefined;
  /** Milliseconds between two pieces. Default 1. */
  readonly stepMs?: number | undefined;
  /** What happens after this share (0 to 1) of all bytes. */
  readonly at?: number | undefined;
  readonly trouble?: { readonly error: string } | "repeat" | "reset" | undefined;
}

export interface LoadScript {
  readonly refusal?: Refusal | undefined;
  readonly takesMs?: number | undefined;
  /** The window really in force, where it differs from the one asked for. */
  readonly window?: number | undefined;
}
