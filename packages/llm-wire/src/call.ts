import {
  type EventBatch,
  isLlmError,
  LlmError,
  type Pullable,
  type Reader,
  toLlmError,
  type Usage,
} from "@enginehouse/llm-core";

import { type Deadlines, startDeadlines } from "./deadlines.ts";
import { statusFault, transportFault } from "./faults.ts";
import { createLineDecoder, type Decoder, tooLong } from "./lines.ts";
import { END, pulled } from "./pulled.ts";
import { type ByteReads, readsOf } from "./raw-body.ts";
import { addressOf, type Endpoint, headersOf, jsonOf, shownAddress, type WireCall } from "./request.ts";
import { createSseDecoder, type SseEvent } from "./sse.ts";
import type { Reply } from "./transport.ts";

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
  /** An error that came behind events: they go out first, and it is thrown at the next read. */
  fault?(): LlmError | undefined;
  /** What the backend has told of its tokens so far. It goes with a fault, as the counts of the partial answer. */
  usage?(): Usage | undefined;
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
): Pullable<EventBatch> {
  return callPieces(endpoint, call, createLineDecoder(), decoder);
}

/** The events of a chat whose reply is a stream of server-sent events, for `fromBatches`. */
export function streamSse(
  endpoint: Endpoint,
  call: WireCall,
  decoder: EventDecoder<SseEvent>,
): Pullable<EventBatch> {
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
): Pullable<EventBatch>;
/** An iterator by hand, bytes to events in one step: every promise in between would be paid for each token. */
function callPieces<Piece>(
  endpoint: Endpoint,
  call: WireCall,
  decoder: Decoder<Piece>,
  events?: EventDecoder<Piece>,
): AsyncIterator<readonly unknown[]> {
  let asking: Reader<readonly unknown[]> | undefined;
  let deadlines: Deadlines | undefined;
  let reads: ByteReads | undefined;
  let started = events === undefined;
  let begun = false;
  let over = false;

  const give = (read: IteratorResult<readonly unknown[], undefined>): void => {
    const reader = asking;
    asking = undefined;
    reader?.onRead(read);
  };

  const refuse = (error: unknown): void => {
    const reader = asking;
    asking = undefined;
    reader?.onFault(withUsage(error, events?.usage?.(), call));
  };

  const end = async (): Promise<void> => {
    over = true;
    deadlines?.end();
    await reads?.return().catch(() => undefined);
  };

  const decode = (bytes: Uint8Array): readonly unknown[] => {
    const pieces = decoder.add(bytes);
    return events === undefined || pieces.length === 0 ? pieces : events.add(pieces);
  };

  const onRead = (read: IteratorResult<Uint8Array, unknown>): void => {
    deadlines?.arrived();
    if (read.done === true) return void last().catch(onDecodeFault);
    let batch: readonly unknown[];
    try {
      begun = true;
      batch = decode(read.value);
    } catch (error) {
      return void onDecodeFault(error);
    }
    if (batch.length > 0) give({ value: batch, done: false });
    // A comment, or a part of a line.
    else step();
  };

  const onFault = async (error: unknown): Promise<void> => {
    const fault =
      deadlines === undefined
        ? error
        : finalFault(error, deadlines, call, shownAddress(endpoint, call), begun);
    await end();
    refuse(fault);
  };

  /** What a decoder throws is not the network's fault. */
  const onDecodeFault = async (error: unknown): Promise<void> => {
    deadlines?.leave();
    await end();
    if (!(error instanceof SyntaxError)) return refuse(error);
    const says = `${shownAddress(endpoint, call)} sent something that is not JSON`;
    refuse(new LlmError("invalid-response", says, { cause: error, phase: "stream" }));
  };

  const last = async (): Promise<void> => {
    await end();
    const pieces = decoder.end();
    const batch = events === undefined ? pieces : [...addLast(events, pieces), ...events.finish()];
    give(batch.length > 0 ? { value: batch, done: false } : END);
  };

  /** A line without an end that makes no sense is one that was cut off. */
  const addLast = (into: EventDecoder<Piece>, pieces: readonly Piece[]): EventBatch => {
    try {
      return into.add(pieces);
    } catch (cause) {
      const [line] = pieces;
      const senseless =
        cause instanceof SyntaxError || (isLlmError(cause) && cause.code === "invalid-response");
      if (!senseless || typeof line !== "string" || !line.startsWith("{")) throw cause;
      const says = `${shownAddress(endpoint, call)} broke off in the middle of a line`;
      const hint = "ask again; the backend's log may say why";
      throw new LlmError("stream-interrupted", says, { cause, phase: "stream", hint });
    }
  };

  const bytes: Reader<Uint8Array> = { onRead, onFault: (error) => void onFault(error) };

  const step = (): void => {
    if (reads === undefined || over) return give(END);
    deadlines?.waiting();
    reads.pull(bytes);
  };

  const first = async (): Promise<void> => {
    try {
      deadlines = startDeadlines(call.timeouts, call.signal);
      reads = (await open(endpoint, call, deadlines)).reads();
    } catch (error) {
      return onFault(error);
    }
    step();
  };

  const pull = (reader: Reader<readonly unknown[]>): void => {
    asking = reader;
    if (over) return give(END);
    const fault = events?.fault?.();
    if (fault !== undefined) return void onDecodeFault(fault);
    if (started) return deadlines === undefined ? void first() : step();
    started = true;
    give({ value: events?.start() ?? [], done: false });
  };

  const leave = async (): Promise<void> => {
    // The headers may still be awaited: then there is no body to close.
    if (!over && reads === undefined) deadlines?.leave();
    await end();
  };

  const pieces = pulled<readonly unknown[]>(pull, leave);
  return Object.assign(pieces, { [Symbol.asyncIterator]: () => pieces });
}

/** A broken answer is paid for, too. */
function withUsage(error: unknown, usage: Usage | undefined, call: WireCall): unknown {
  if (usage === undefined) return error;
  const code = call.signal?.aborted === true ? "aborted" : "provider-internal";
  return toLlmError(error, code, { partial: { text: "", reasoning: "", toolCalls: [], usage } });
}

async function open(endpoint: Endpoint, call: WireCall, deadlines: Deadlines): Promise<Reply> {
  const { body } = call;
  const text = body === undefined ? undefined : jsonOf(body);
  const method = call.method ?? (text === undefined ? "GET" : "POST");
  const headers = headersOf(
    { "content-type": text === undefined ? undefined : "application/json" },
    endpoint.headers,
    call.headers,
  );
  if (endpoint.fetch.reportsConnect !== true) deadlines.connected();
  const reply = await send(endpoint.fetch, addressOf(endpoint, call), { method, headers, text }, deadlines);
  deadlines.connected();
  if (reply.status >= 200 && reply.status < 300) return reply;
  deadlines.waiting();
  const said = (await readText(reply, ERROR_BODY_LIMIT, deadlines, true).catch(() => "")) ?? "";
  const fault = call.readFault?.(reply.status, said);
  throw fault ?? statusFault(reply.status, reply.headers, said, shownAddress(endpoint, call));
}

async function send(
  fetch: Endpoint["fetch"],
  url: URL,
  {
    method,
    headers,
    text,
  }: { readonly method: string; readonly headers: Headers; readonly text?: string | undefined },
  { signal, connected: onConnect }: Deadlines,
): Promise<Reply> {
  if (fetch.exchange !== undefined) {
    const body = text === undefined ? undefined : new TextEncoder().encode(text);
    return fetch.exchange(url, { method, headers, body }, { signal, onConnect });
  }
  const response = await fetch(url.href, { method, headers, body: text ?? null, signal, onConnect });
  return { status: response.status, headers: response.headers, reads: () => readsOf(response) };
}

/** The text of the reply; where it is longer than `limit`, its beginning or nothing. */
async function readText(
  reply: Reply,
  limit: number,
  deadlines: Deadlines,
  beginning = false,
): Promise<string | undefined> {
  const reads = reply.reads();
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
    await reads.return().catch(() => undefined);
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
