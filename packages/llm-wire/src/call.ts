import { type EventBatch, isLlmError, LlmError } from "@enginehouse/llm-core";

import { type Deadlines, startDeadlines } from "./deadlines.ts";
import { statusFault, transportFault } from "./faults.ts";
import { createLineDecoder, type Decoder, tooLong } from "./lines.ts";
import { readsOf } from "./raw-body.ts";
import { addressOf, type Endpoint, headersOf, jsonOf, shownAddress, type WireCall } from "./request.ts";
import { createSseDecoder, type SseEvent } from "./sse.ts";

/** How much of an error reply is read. */
const ERROR_BODY_LIMIT = 64 * 1024;

/** The most bytes of a reply that is JSON as a whole. */
const JSON_LIMIT = 256 * 1024 * 1024;

/** One request whose whole reply is JSON. */
export async function callJson(endpoint: Endpoint, call: WireCall): Promise<unknown> {
  const address = shownAddress(endpoint, call);
  const deadlines = startDeadlines(call.timeouts, call.signal);
  let begun = false;
  try {
    const response = await open(endpoint, call, deadlines);
    begun = true;
    const text = await readText(response, JSON_LIMIT, deadlines);
    if (text === undefined) throw tooLong(JSON_LIMIT);
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
    throw finalFault(error, deadlines, call, address, begun);
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
      deadlines === undefined
        ? error
        : finalFault(error, deadlines, call, shownAddress(endpoint, call), begun);
    await end();
    throw fault;
  };

  const onBytes = (read: IteratorResult<Uint8Array>): PieceRead | Promise<PieceRead> => {
    deadlines?.arrived();
    try {
      if (read.done === true) return last().catch(onDecodeFault);
      begun = true;
      const batch = decode(read.value);
      return batch.length > 0 ? { value: batch, done: false } : more();
    } catch (error) {
      return onDecodeFault(error);
    }
  };

  const decode = (bytes: Uint8Array): readonly unknown[] => {
    const pieces = decoder.add(bytes);
    return events === undefined || pieces.length === 0 ? pieces : events.add(pieces);
  };

  /** Reads on while nothing is complete, in a loop: a chain of promises would grow with every comment or part of a line. */
  const more = async (): Promise<PieceRead> => {
    for (;;) {
      let read: IteratorResult<Uint8Array>;
      try {
        if (reads === undefined || over) return END;
        deadlines?.waiting();
        read = await reads.next();
      } catch (error) {
        return onFault(error);
      }
      deadlines?.arrived();
      try {
        if (read.done === true) return await last();
        const batch = decode(read.value);
        if (batch.length > 0) return { value: batch, done: false };
      } catch (error) {
        return onDecodeFault(error);
      }
    }
  };

  /** What a decoder throws is not the network's fault. */
  const onDecodeFault = async (error: unknown): Promise<never> => {
    deadlines?.leave();
    await end();
    if (!(error instanceof SyntaxError)) throw error;
    const says = `${shownAddress(endpoint, call)} sent something that is not JSON`;
    throw new LlmError("invalid-response", says, { cause: error, phase: "stream" });
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
    try {
      deadlines = startDeadlines(call.timeouts, call.signal);
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
      // The headers may still be awaited: then there is no body to close.
      if (!over && reads === undefined) deadlines?.leave();
      await end();
      return END;
    },
  };
}

type PieceRead = IteratorResult<readonly unknown[], undefined>;

const END = { value: undefined, done: true } as const;

async function open(endpoint: Endpoint, call: WireCall, deadlines: Deadlines): Promise<Response> {
  const { body } = call;
  const address = addressOf(endpoint, call);
  const text = body === undefined ? undefined : jsonOf(body);
  const headers = headersOf(
    { "content-type": text === undefined ? undefined : "application/json" },
    endpoint.headers,
    call.headers,
  );
  if (endpoint.fetch.reportsConnect !== true) deadlines.connected();
  const response = await endpoint.fetch(address.href, {
    method: call.method ?? (text === undefined ? "GET" : "POST"),
    headers,
    ...(text !== undefined && { body: text }),
    signal: deadlines.signal,
    onConnect: deadlines.connected,
  });
  deadlines.connected();
  if (response.ok) return response;
  deadlines.waiting();
  const said = (await readText(response, ERROR_BODY_LIMIT, deadlines, true).catch(() => "")) ?? "";
  const fault = call.readFault?.(response.status, said);
  throw fault ?? statusFault(response.status, response.headers, said, shownAddress(endpoint, call));
}

/** The text of the reply; where it is longer than `limit`, its beginning or nothing. */
async function readText(
  response: Response,
  limit: number,
  deadlines: Deadlines,
  beginning = false,
): Promise<string | undefined> {
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
      if (bytes <= limit) continue;
      if (!beginning) return undefined;
      break;
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
