import {
  type ChatEvent,
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
import { END, Turns } from "./pulled.ts";
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
  return new Pieces(endpoint, call, createLineDecoder());
}

/** One request whose reply is a stream of server-sent events: an array for each read. */
export function callSse(
  endpoint: Endpoint,
  call: WireCall,
): AsyncIterableIterator<SseEvent[], undefined, undefined> {
  return new Pieces(endpoint, call, createSseDecoder());
}

/** The events of a chat whose reply is a stream of lines, for `fromBatches`. */
export function streamLines(
  endpoint: Endpoint,
  call: WireCall,
  decoder: EventDecoder<string>,
): Pullable<EventBatch> {
  return new Pieces<string, ChatEvent>(endpoint, call, createLineDecoder(), decoder);
}

/** The events of a chat whose reply is a stream of server-sent events, for `fromBatches`. */
export function streamSse(
  endpoint: Endpoint,
  call: WireCall,
  decoder: EventDecoder<SseEvent>,
): Pullable<EventBatch> {
  return new Pieces<SseEvent, ChatEvent>(endpoint, call, createSseDecoder(), decoder);
}

/**
 * Bytes to pieces, or to events, in one step: every promise in between would be paid for each token. A class, and one
 * instance kept, for the reason that llm-core's stream.ts gives.
 */
class Pieces<Piece, Item> implements AsyncIterableIterator<Item[], undefined, undefined>, Reader<Uint8Array> {
  static readonly kept = new Pieces({ baseUrl: "", fetch }, { path: "" }, createLineDecoder());
  private readonly endpoint: Endpoint;
  private readonly call: WireCall;
  private readonly decoder: Decoder<Piece>;
  private readonly events: EventDecoder<Piece> | undefined;
  private readonly turns = new Turns<Item[]>(this);
  private asking: Reader<Item[]> | undefined;
  private deadlines: Deadlines | undefined;
  private reads: ByteReads | undefined;
  private started: boolean;
  private begun = false;
  private over = false;

  constructor(endpoint: Endpoint, call: WireCall, decoder: Decoder<Piece>, events?: EventDecoder<Piece>) {
    this.endpoint = endpoint;
    this.call = call;
    this.decoder = decoder;
    this.events = events;
    this.started = events === undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Item[], undefined>> {
    return this.turns.next();
  }

  pull(reader: Reader<Item[]>): void {
    this.asking = reader;
    if (this.over) return this.give(END);
    const fault = this.events?.fault?.();
    if (fault !== undefined) return void this.failDecoding(fault);
    if (this.started) return this.deadlines === undefined ? void this.first() : this.step();
    this.started = true;
    this.give({ value: itemsOf(this.events?.start() ?? []), done: false });
  }

  async return(): Promise<typeof END> {
    // The headers may still be awaited: then there is no body to close.
    if (!this.over && this.reads === undefined) this.deadlines?.leave();
    await this.end();
    return END;
  }

  onRead(read: IteratorResult<Uint8Array, unknown>): void {
    this.deadlines?.arrived();
    if (read.done === true) return void this.last().catch((error: unknown) => this.failDecoding(error));
    let batch: Item[];
    try {
      this.begun = true;
      batch = this.decode(read.value);
    } catch (error) {
      return void this.failDecoding(error);
    }
    if (batch.length > 0) this.give({ value: batch, done: false });
    // A comment, or a part of a line.
    else this.step();
  }

  onFault(error: unknown): void {
    void this.fail(error);
  }

  private async first(): Promise<void> {
    const { endpoint, call } = this;
    try {
      this.deadlines = startDeadlines(call.timeouts, call.signal);
      this.reads = (await open(endpoint, call, this.deadlines)).reads();
    } catch (error) {
      return this.fail(error);
    }
    this.step();
  }

  private step(): void {
    if (this.reads === undefined || this.over) return this.give(END);
    this.deadlines?.waiting();
    this.reads.pull(this);
  }

  private decode(bytes: Uint8Array): Item[] {
    const pieces = this.decoder.add(bytes);
    return itemsOf(this.events === undefined || pieces.length === 0 ? pieces : this.events.add(pieces));
  }

  private async last(): Promise<void> {
    await this.end();
    const pieces = this.decoder.end();
    const { events } = this;
    const batch = itemsOf<Item>(
      events === undefined ? pieces : [...this.addLast(events, pieces), ...events.finish()],
    );
    this.give(batch.length > 0 ? { value: batch, done: false } : END);
  }

  /** A line without an end that makes no sense is one that was cut off. */
  private addLast(into: EventDecoder<Piece>, pieces: readonly Piece[]): EventBatch {
    try {
      return into.add(pieces);
    } catch (cause) {
      const [line] = pieces;
      const senseless =
        cause instanceof SyntaxError || (isLlmError(cause) && cause.code === "invalid-response");
      if (!senseless || typeof line !== "string" || !line.startsWith("{")) throw cause;
      const says = `${this.address()} broke off in the middle of a line`;
      const hint = "ask again; the backend's log may say why";
      throw new LlmError("stream-interrupted", says, { cause, phase: "stream", hint });
    }
  }

  private give(read: IteratorResult<Item[], undefined>): void {
    const reader = this.asking;
    this.asking = undefined;
    reader?.onRead(read);
  }

  private refuse(error: unknown): void {
    const reader = this.asking;
    this.asking = undefined;
    reader?.onFault(withUsage(error, this.events?.usage?.(), this.call));
  }

  private async fail(error: unknown): Promise<void> {
    const { deadlines } = this;
    const fault =
      deadlines === undefined ? error : finalFault(error, deadlines, this.call, this.address(), this.begun);
    await this.end();
    this.refuse(fault);
  }

  /** What a decoder throws is not the network's fault. */
  private async failDecoding(error: unknown): Promise<void> {
    this.deadlines?.leave();
    await this.end();
    if (!(error instanceof SyntaxError)) return this.refuse(error);
    const says = `${this.address()} sent something that is not JSON`;
    this.refuse(new LlmError("invalid-response", says, { cause: error, phase: "stream" }));
  }

  private async end(): Promise<void> {
    this.over = true;
    this.deadlines?.end();
    await this.reads?.return().catch(() => undefined);
  }

  private address(): string {
    return shownAddress(this.endpoint, this.call);
  }
}

/** Pieces as they are, or the events that were made of them. */
const itemsOf = <Item>(items: readonly unknown[]): Item[] => items as Item[];

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
  deadlines: Deadlines,
): Promise<Reply> {
  const { signal } = deadlines;
  const onConnect = (): void => deadlines.connected();
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
