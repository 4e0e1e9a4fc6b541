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
import { createLineDecoder, type Decoder, tooLong } from "./lines.ts";
import { END, Turns } from "./pulled.ts";
import type { ByteReads } from "./raw-body.ts";
import { finalFault, open, readText } from "./reply.ts";
import { type Endpoint, shownAddress, type WireCall } from "./request.ts";
import { createSseDecoder, type SseEvent } from "./sse.ts";
import type { Reply } from "./transport.ts";

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
    throw finalFault(error, deadlines, endpoint, call, begun);
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
  static readonly kept = new Pieces(
    { baseUrl: "", fetch: globalThis.fetch },
    { path: "" },
    createLineDecoder(),
  );
  private readonly endpoint: Endpoint;
  private readonly call: WireCall;
  private readonly decoder: Decoder<Piece>;
  private readonly events: EventDecoder<Piece> | undefined;
  private turns: Turns<Item[]> | undefined;
  private asking: Reader<Item[]> | undefined;
  private deadlines: Deadlines | undefined;
  private reads: ByteReads | undefined;
  private started: boolean;
  private begun = false;
  private over = false;
  private left = false;
  /** What is wrong behind the last events. */
  private late: unknown;

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
    return (this.turns ??= new Turns(this)).next();
  }

  pull(reader: Reader<Item[]>): void {
    this.asking = reader;
    const { reads } = this;
    if (reads === undefined || this.over) return this.atEitherEnd();
    const fault = this.events?.fault?.();
    if (fault !== undefined) return void this.failDecoding(fault);
    this.deadlines?.waiting();
    reads.pull(this);
  }

  async return(): Promise<typeof END> {
    this.left = true;
    this.late = undefined;
    // The headers may still be awaited, and a body that somebody else reads, too, does not close.
    if (!this.over) this.deadlines?.leave();
    await this.end();
    return END;
  }

  onRead(read: IteratorResult<Uint8Array, unknown>): void {
    this.deadlines?.arrived();
    // A body that is closed so ends as a whole one does.
    if (this.left) return this.give(END);
    if (read.done === true) return this.last();
    let batch: Item[];
    try {
      this.begun = true;
      const pieces = this.decoder.add(read.value);
      const { events } = this;
      batch = itemsOf(events === undefined || pieces.length === 0 ? pieces : events.add(pieces));
    } catch (error) {
      return void this.failDecoding(error);
    }
    if (batch.length > 0) {
      const { asking } = this;
      this.asking = undefined;
      return asking?.onRead({ value: batch, done: false });
    }
    const fault = this.events?.fault?.();
    if (fault !== undefined) return void this.failDecoding(fault);
    // A comment, or a part of a line.
    this.step();
  }

  onFault(error: unknown): void {
    void this.fail(error);
  }

  /** Before the first bytes, or after the last. */
  private atEitherEnd(): void {
    const fault = this.over ? this.late : this.events?.fault?.();
    this.late = undefined;
    if (fault !== undefined) return void this.failDecoding(fault);
    if (this.deadlines !== undefined || this.over) return this.step();
    if (this.started) return this.first();
    this.started = true;
    let batch: Item[];
    try {
      batch = itemsOf(this.events?.start() ?? []);
    } catch (error) {
      return void this.failDecoding(error);
    }
    this.give({ value: batch, done: false });
  }

  private first(): void {
    try {
      this.deadlines = startDeadlines(this.call.timeouts, this.call.signal);
    } catch (error) {
      return this.onFault(error);
    }
    open(this.endpoint, this.call, this.deadlines).then(
      (reply) => this.opened(reply),
      (error: unknown) => this.onFault(error),
    );
  }

  private opened(reply: Reply): void {
    try {
      this.reads = reply.reads();
    } catch (error) {
      // Somebody else, such as a fetch that keeps a log, reads the body already.
      return this.onFault(error);
    }
    // Left meanwhile, over a fetch that knows no signal.
    if (this.over) void this.reads.return().catch(() => undefined);
    this.step();
  }

  private step(): void {
    if (this.reads === undefined || this.over) return this.give(END);
    this.deadlines?.waiting();
    this.reads.pull(this);
  }

  private last(): void {
    this.over = true;
    this.deadlines?.end();
    let batch: Item[];
    try {
      const pieces = this.decoder.end();
      batch = itemsOf(this.events === undefined ? pieces : this.lastOf(this.events, pieces));
    } catch (error) {
      return void this.failDecoding(error);
    }
    this.give(batch.length > 0 ? { value: batch, done: false } : END);
  }

  /** What the last line says goes out before what is wrong with it, or missing behind it. */
  private lastOf(events: EventDecoder<Piece>, pieces: readonly Piece[]): EventBatch {
    let batch: EventBatch = [];
    try {
      batch = events.add(pieces);
      return [...batch, ...events.finish()];
    } catch (error) {
      const fault = this.cutOff(error, pieces);
      if (batch.length === 0) throw fault;
      this.late = fault;
      return batch;
    }
  }

  /** A line without an end that makes no sense is one that was cut off. */
  private cutOff(cause: unknown, [line]: readonly Piece[]): unknown {
    const senseless =
      cause instanceof SyntaxError || (isLlmError(cause) && cause.code === "invalid-response");
    if (!senseless || typeof line !== "string" || !line.startsWith("{") || isJson(line)) return cause;
    const says = `${this.address()} broke off in the middle of a line`;
    const hint = "ask again; the backend's log may say why";
    return new LlmError("stream-interrupted", says, { cause, phase: "stream", hint });
  }

  private give(read: IteratorResult<Item[], undefined>): void {
    const reader = this.asking;
    this.asking = undefined;
    reader?.onRead(read);
  }

  private refuse(error: unknown): void {
    // What the reader itself has cut off is no fault.
    if (this.left) return this.give(END);
    const reader = this.asking;
    this.asking = undefined;
    reader?.onFault(withUsage(error, this.events?.usage?.(), this.call));
  }

  private async fail(error: unknown): Promise<void> {
    const { deadlines } = this;
    const fault =
      deadlines === undefined ? error : finalFault(error, deadlines, this.endpoint, this.call, this.begun);
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

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A broken answer is paid for, too. */
function withUsage(error: unknown, usage: Usage | undefined, call: WireCall): unknown {
  if (usage === undefined) return error;
  const code = call.signal?.aborted === true ? "aborted" : "provider-internal";
  return toLlmError(error, code, { partial: { text: "", reasoning: "", toolCalls: [], usage } });
}
