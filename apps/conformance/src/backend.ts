import type { JsonObject, ReasoningEffort } from "@enginehouse/llm-core";

import type { Scenario } from "./scenario.ts";

/** Something that plays scenarios on one wire. */
export interface FakeBackend {
  /** `plain`, `ollama`, `openai`, `lmstudio`; an engine inside the process has a name of its own. */
  readonly wire: string;
  /** What this wire has no words for, each with the reason: a check that needs it is skipped with that reason. */
  readonly cannot: Readonly<Partial<Record<WireAbility, string>>>;
  /** How many times longer than a fake it may take, where it is a real engine: waits and limits are that much longer. Default 1. */
  readonly slowness?: number | undefined;
  start(scenario: Scenario): Promise<Backend>;
}

/** What a check may need of the wire, with what that means. */
export const WIRE_ABILITIES = {
  sockets: "requests and connections can be watched",
  headers: "a reply can be held back before its headers",
  bytes: "a reply can be cut between any two bytes",
  lines: "pieces are lines or events that can share a read",
  cuts: "a stream can be reset, stalled or ended without its terminal piece",
  "in-band-error": "an error can come inside the stream",
  malformed: "a piece can be something else than the protocol",
  "http-status": "a request can be refused with a status and a body",
  auth: "requests carry a key",
  version: "the backend tells its version",
  text: "an answer can have any text",
  "form-text": "an answer can have any text also where the request asks for a form",
  "slow-text": "an answer can take its time between two pieces",
  unicode: "an answer can have any character",
  counts: "the backend tells how many tokens a prompt has",
  usage: "the backend tells token counts, as the scenario has them",
  "usage-absent": "the backend can leave token counts out",
  "usage-early": "the backend tells token counts before its last piece",
  "usage-cached": "the backend tells cached tokens",
  length: "the backend says that the output limit was reached",
  "content-filter": "the backend says that a filter ended the answer",
  "raw-reason": "the backend can end with a word of its own",
  "reason-on-calls": "the backend can say stop although it made calls",
  calls: "an answer can have tool calls",
  "call-anything": "a call can have any name, and text after it",
  "call-fragments": "arguments can come in pieces",
  "call-ids": "the backend gives ids to calls, right or wrong",
  "call-text": "arguments travel as text, so that they can be no JSON",
  "call-terminal": "a call can come inside the terminal piece",
  "tool-choice": "the request can force a call",
  reasoning: "reasoning comes in a field of its own",
  "reasoning-tags": "reasoning comes inside the text, between tags",
  "reasoning-levels": "the request can say how much to think",
  schema: "a schema goes with the request",
  "schema-broken": "an answer can break the schema of its request",
  options: "sampling options go with the request",
  images: "an image can go with a message",
  overflow: "a prompt that does not fit is refused",
  truncation: "a prompt that does not fit can be cut in silence",
  "window-sent": "the window goes with the request",
  "embed-limit": "a text that is too long is refused",
  "embed-batch-limit": "a request takes only so many texts",
  "embed-vectors": "the backend's vectors can be long, missing or wrong",
  "embed-usage": "the backend tells the tokens of embedded texts",
  "keep-alive": "the keep-alive time goes with the request",
  loading: "a load can take time, fail, or give another window",
  pulling: "a download can be slow, fail and go on",
  parallel: "generations can be counted while they run",
} as const;

export type WireAbility = keyof typeof WIRE_ABILITIES;

/** A started backend, and what it has seen. */
export interface Backend {
  /** `http://127.0.0.1:PORT`, or empty inside the process. */
  readonly address: string;
  readonly key: string | undefined;
  /** Names under which the provider reaches the scenario's models. */
  readonly models: { readonly chat: string; readonly embedding: string; readonly rerank: string };
  readonly seen: Seen;
  /** What an engine inside the process adds to the settings. */
  readonly settings?: JsonObject | undefined;
  close(): Promise<void>;
}

export interface Seen {
  /** All that arrived, oldest first, those of `health` too. */
  readonly requests: readonly SeenRequest[];
  /** Connections that are open now, those kept alive between requests included. */
  readonly openSockets: number;
  /** Generations that go on now. */
  readonly generating: number;
  /** The most that ever went on at once. */
  readonly mostAtOnce: number;
  /** Models in memory now. */
  readonly loaded: readonly {
    readonly id: string;
    readonly window: number;
    readonly keepAliveMs?: number | undefined;
  }[];
  /** Settles when `when` holds; rejects after `withinMs` (default 2 000) with what was seen instead. Polls. */
  until(when: (seen: Seen) => boolean, says: string, withinMs?: number): Promise<void>;
}

export interface SeenRequest {
  readonly operation:
    | "chat"
    | "embed"
    | "rerank"
    | "count"
    | "health"
    | "list"
    | "describe"
    | "pull"
    | "delete"
    | "load"
    | "unload"
    | "loaded"
    | "other";
  /** Milliseconds since the backend started. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it came. */
  readonly body: unknown;
  /** The same in words that all wires share, for a chat or an embedding. */
  readonly asked: Asked;
  /** When the client closed the connection before the reply was whole. */
  readonly leftAt: number | undefined;
  /** When the reply was sent to its end. */
  readonly answeredAt: number | undefined;
  /** Bytes of the reply that the connection has taken so far; what waits in the fake is not counted. Needs `sockets`. */
  readonly sentBytes?: number | undefined;
}

/** What a request asks for, read back from its wire. What it does not say is left out. */
export interface Asked {
  readonly model?: string | undefined;
  readonly stream?: boolean | undefined;
  readonly messages?: readonly AskedMessage[] | undefined;
  readonly tools?: readonly { readonly name: string; readonly schema: unknown }[] | undefined;
  readonly toolChoice?: "auto" | "none" | "required" | { readonly name: string } | undefined;
  /** The schema as the backend sees it; `true`: JSON of any shape. */
  readonly schema?: unknown;
  readonly reasoning?: ReasoningEffort | boolean | undefined;
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  readonly minP?: number | undefined;
  readonly seed?: number | undefined;
  readonly stop?: unknown;
  readonly maxTokens?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  readonly presencePenalty?: number | undefined;
  readonly repeatPenalty?: number | undefined;
  readonly window?: number | undefined;
  readonly keepAliveMs?: number | undefined;
  readonly texts?: readonly string[] | undefined;
}

export interface AskedMessage {
  readonly role: string;
  readonly text: string;
  readonly reasoning?: string | undefined;
  readonly calls?:
    | readonly { readonly id?: string | undefined; readonly name: string; readonly input: unknown }[]
    | undefined;
  /** Of a tool message: the call that it answers. */
  readonly answers?: { readonly id?: string | undefined; readonly name?: string | undefined } | undefined;
  readonly images?: number | undefined;
}
