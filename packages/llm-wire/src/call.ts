import { type CallOptions, type EventBatch, isLlmError, LlmError } from "@enginehouse/llm-core";

import { type Deadlines, startDeadlines } from "./deadlines.ts";
import { statusFault, transportFault } from "./faults.ts";
import { createLineDecoder, type Decoder } from "./lines.ts";
import { readsOf } from "./raw-body.ts";
import { createSseDecoder, type SseEvent } from "./sse.ts";
import type { FetchLike } from "./transport.ts";

/** Where a backend listens, and how it is reached. */
export interface Endpoint {
  /** With or without a slash at its end. */
  readonly baseUrl: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly fetch: FetchLike;
}

export interface WireCall extends CallOptions {
  /** Appended to the base URL: `/api/chat`. */
  readonly path: string;
  /** Default POST with a body, else GET. */
  readonly method?: string | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What only this backend's wording tells of an error reply; `undefined` leaves it to the status. */
  readonly readFault?: ((status: number, body: string) => LlmError | undefined) | undefined;
}

/** How much of an error reply is read. */
const ERROR_BODY_LIMIT = 64 * 1024;

/** One request whose whole reply is JSON. */
export async function callJson(endpoint: Endpoint, call: WireCall): Promise<unknown> {
  const deadlines = startDeadlines(call.timeouts, call.signal);
  const address = addressOf(endpoint, call);
  try {
    const response = await open(endpoint, call, deadlines);
    deadlines.waiting();
    const text = await readText(response, Number.POSITIVE_INFINITY, deadlines);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new LlmError("invalid-response", `${address} answered with something that is not JSON`, {
        cause,
        status: response.status,
        hint: "is this the address of a model server?",
      });
    }
  } catch (error) {
    throw finalFault(error, deadlines, call, address, false);
  } finally {
    deadlines.end();
  }
}

/** What a provider makes of a reply, an array of events for each array of pieces. */
export interface EventDecoder<Piece> {
  /** The events that come before the first byte: `start`. */
  start(): EventBatch;
  add(pieces: readonly Piece[]): EventBatch;
  /** The events at the end of the bytes. Throws when the backend's own end is missing. */
  finish(): EventBatch;
}

/** One request whose reply is a stream of lines: an array for each read. */
export function callLines(
  endpoint: Endpoint,
  call: WireCall,
): AsyncIterableIterator<string[], undefined, undefined> {
  return callPieces(endpoint, call, createLineDecoder());
}

/** One request whose reply is a stream of server-sent events: an array for each read. */
export function callSse(
  endpoint: Endpoint,
  call: WireCall,
): AsyncIterableIterator<SseEvent[], undefined, undefined> {
  return callPieces(endpoint, call, createSseDecoder());
}

/** The events of a chat whose reply is a stream of lines, for `fromBatches`. */
export function streamLines(
  endpoint: Endpoint,
  call: WireCall,
  decoder: EventDecoder<string>,
): AsyncIterator<EventBatch> {
  return callPieces(endpoint, call, createLineDecoder(), decoder);
}

/** The events of a chat whose reply is a stream of server-sent events, for `fromBatches`. */
export function streamSse(
  endpoint: Endpoint,
  call: WireCall,
  decoder: EventDecoder<SseEvent>,
): AsyncIterator<EventBatch> {
  return callPieces(endpoint, call, createSseDecoder(), decoder);
}

function callPieces<Piece>(
  endpoint: Endpoint,
  call: WireCall,
  decoder: Decoder<Piece>,
): AsyncIterableIterator<Piece[], undefined, undefined>;
function callPieces<Piece>(
  endpoint: Endpoint,
  call: WireCall,
  decoder: Decoder<Piece>,
  events: EventDecoder<Piece>,
): AsyncIterableIterator<EventBatch, undefined, undefined>;
/** An iterator by hand, bytes to events in one step: every promise in between would be paid for each token. */
function callPieces<Piece>(
  endpoint: Endpoint,
  call: WireCall,
  decoder: Decoder<Piece>,
  events?: EventDecoder<Piece>,
): AsyncIterableIterator<readonly unknown[], undefined, undefined> {
  let deadlines: Deadlines | undefined;
  let reads: AsyncIterator<Uint8Array> | undefined;
  let started = events === undefined;
  let begun = false;
  let over = false;

  const end = async (): Promise<void> => {
    over = true;
    deadlines?.end();
    await reads?.return?.().catch(() => undefined);
  };

  const onFault = async (error: unknown): Promise<never> => {
    const fault =
      deadlines === undefined ? error : finalFault(error, deadlines, call, addressOf(endpoint, call), begun);
    await end();
    throw fault;
  };

  const onBytes = (read: IteratorResult<Uint8Array>): PieceRead | Promise<PieceRead> => {
    deadlines?.arrived();
    try {
      if (read.done === true) return last();
      begun = true;
      const pieces = decoder.add(read.value);
      const batch = events === undefined || pieces.length === 0 ? pieces : events.add(pieces);
      return batch.length > 0 ? { value: batch, done: false } : step();
    } catch (error) {
      return onFault(error);
    }
  };

  const last = async (): Promise<PieceRead> => {
    await end();
    const pieces = decoder.end();
    const batch = events === undefined ? pieces : [...events.add(pieces), ...events.finish()];
    return batch.length > 0 ? { value: batch, done: false } : END;
  };

  const step = (): Promise<PieceRead> => {
    if (reads === undefined) return Promise.resolve(END);
    deadlines?.waiting();
    return reads.next().then(onBytes, onFault);
  };

  const first = async (): Promise<PieceRead> => {
    deadlines = startDeadlines(call.timeouts, call.signal);
    try {
      reads = readsOf(await open(endpoint, call, deadlines));
    } catch (error) {
      return onFault(error);
    }
    return step();
  };

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      if (over) return Promise.resolve(END);
      if (started) return deadlines === undefined ? first() : step();
      started = true;
      return Promise.resolve({ value: events?.start() ?? [], done: false });
    },
    async return() {
      await end();
      return END;
    },
  };
}

type PieceRead = IteratorResult<readonly unknown[], undefined>;

const END = { value: undefined, done: true } as const;

async function open(endpoint: Endpoint, call: WireCall, deadlines: Deadlines): Promise<Response> {
  const { body } = call;
  if (endpoint.fetch.reportsConnect !== true) deadlines.connected();
  const response = await endpoint.fetch(addressOf(endpoint, call), {
    method: call.method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...endpoint.headers,
      ...call.headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: deadlines.signal,
    onConnect: deadlines.connected,
  });
  deadlines.connected();
  if (response.ok) return response;
  deadlines.waiting();
  const text = await readText(response, ERROR_BODY_LIMIT, deadlines).catch(() => "");
  const fault = call.readFault?.(response.status, text);
  throw fault ?? statusFault(response.status, response.headers, text, addressOf(endpoint, call));
}

async function readText(response: Response, limit: number, deadlines: Deadlines): Promise<string> {
  const reads = readsOf(response);
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  try {
    for (;;) {
      deadlines.waiting();
      const read = await reads.next();
      if (read.done === true) break;
      deadlines.arrived();
      bytes += read.value.byteLength;
      parts.push(decoder.decode(read.value, { stream: true }));
      if (bytes > limit) break;
    }
  } finally {
    await reads.return?.().catch(() => undefined);
  }
  return parts.join("") + decoder.decode();
}

function finalFault(
  error: unknown,
  deadlines: Deadlines,
  call: WireCall,
  address: string,
  begun: boolean,
): unknown {
  if (deadlines.fault !== undefined) return deadlines.fault;
  // The caller's own reason goes through untouched: the host around the provider names it.
  if (call.signal?.aborted === true) return call.signal.reason as unknown;
  return isLlmError(error) ? error : transportFault(error, address, begun);
}

function addressOf({ baseUrl }: Endpoint, { path }: WireCall): string {
  return baseUrl.replace(/\/+$/, "") + path;
}
