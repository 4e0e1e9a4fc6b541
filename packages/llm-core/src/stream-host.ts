import { type Call, type Calls, GRACE, modelOf, settledWithin } from "./calls.ts";
import type { ChatRequest } from "./chat.ts";
import { isLlmError, LlmError, toLlmError, withPartial } from "./errors.ts";
import type { ChatEvent, FinishEvent, Warning } from "./events.ts";
import type { CallOptions, Feature, Provider } from "./provider.ts";
import { Arrived } from "./record.ts";
import type * as Rules from "./rules.ts";
import {
  batchesOf,
  type BatchRead,
  type BatchSource,
  type EventBatch,
  type Pullable,
  pullFrom,
  type Reader,
  readOf,
} from "./stream.ts";

interface StreamHost {
  readonly name: string;
  readonly stream: NonNullable<Provider["stream"]>;
  readonly calls: Calls;
  /** Nothing where it is ready already. */
  readonly ready: () => Promise<void> | undefined;
  readonly features: readonly Feature[];
}

/** The provider's stream, in batches, with the core's promises around it. It stands in every stream's path. */
export const streamWithPolicies = (
  host: StreamHost,
  request: ChatRequest,
  options: CallOptions,
): BatchSource => new HostedStream(host, request, options);

/** A class, and one instance kept, for the reason that is given in stream.ts. */
class HostedStream implements BatchSource {
  static readonly kept = new HostedStream({} as StreamHost, {} as ChatRequest, {});
  private readonly host: StreamHost;
  private readonly options: CallOptions;
  /** The request, and soon what is sent of it: nothing that the provider does not declare, and less after an overflow. */
  private attempt: ChatRequest;
  /** Nothing is handed on before the answer begins, for until then it may be asked anew. */
  private holdsStart = false;
  private arrived = new Arrived();
  private held: ChatEvent[] = [];
  private warnings: readonly Warning[] = [];
  private dropped = 0;
  private dropping: readonly Warning[] = [];
  /** Throws for a whole answer that is not the JSON that was asked for. */
  private check: ((arrived: Arrived, finish: FinishEvent) => void) | undefined;
  private call: Call | undefined;
  private source: Pullable<EventBatch> | undefined;
  private over = false;
  private left = false;
  /** Nothing is held back or added any more: what comes alone as text goes on as it is. */
  private plain = false;
  /** The plugin was told to stop: by an abort, a close, or the reader who left. */
  private stopped = false;
  /** Who waits for the plugin. */
  private reader: Reader<EventBatch> | undefined;
  private grace: ReturnType<typeof setTimeout> | undefined;

  constructor(host: StreamHost, request: ChatRequest, options: CallOptions) {
    this.host = host;
    this.attempt = request;
    this.options = options;
  }

  next(): Promise<IteratorResult<EventBatch>> {
    return readOf(this);
  }

  pull(reader: Reader<EventBatch>): void {
    this.reader = reader;
    if (this.over) return reader.onRead(END);
    if (this.source === undefined) this.first(reader);
    else if (this.arrived.finish === undefined) pullFrom(this.source, reader);
    else this.last(this.source, reader);
    if (this.stopped) this.hurry();
  }

  onRead(read: IteratorResult<EventBatch>): BatchRead {
    this.answered();
    if (this.over) return END;
    if (this.plain && read.done !== true && this.arrived.addText(read.value)) return read as BatchRead;
    if (read.done === true) return this.ended();
    if (this.stopped && !isWhole(read.value)) {
      this.dismiss();
      throw this.faultOf(this.call?.signal.reason);
    }
    const batch = this.taken(read.value);
    return batch === read.value ? (read as BatchRead) : { value: batch, done: false };
  }

  async onFault(error: unknown): Promise<BatchRead> {
    this.answered();
    if (this.left) throw this.leftBy(error);
    // `first` and `onRead` have given it its final form already.
    if (this.over) throw error;
    const mayDrop = this.holdsStart && !this.arrived.started;
    if (this.call === undefined || !mayDrop || !isLlmError(error) || error.code !== "context-overflow")
      throw this.faultOf(error);
    try {
      const { dropOldest, droppedWarning } = await rulesOfChats();
      this.call.signal.throwIfAborted();
      const shorter = dropOldest(this.attempt, error);
      this.attempt = shorter.request;
      this.dropped += shorter.dropped;
      this.dropping = [droppedWarning(this.dropped)];
      this.arrived = new Arrived();
      this.held = [];
      this.open(this.call.signal);
    } catch (last) {
      // It may have been left meanwhile.
      if (this.left) throw this.leftBy(last);
      throw this.faultOf(last);
    }
    return readOf(this).then(
      (read) => this.onRead(read),
      (fault: unknown) => this.onFault(fault),
    );
  }

  async return(): Promise<void> {
    // A read under way would hold the source back: stop the work first, then leave.
    if (!this.over) this.call?.leave();
    this.over = true;
    this.left = true;
    if (this.reader === undefined) await this.leave();
    else await settledWithin(GRACE, this.leave());
    this.end();
  }

  private async leave(): Promise<void> {
    try {
      await this.source?.return?.();
    } catch {
      // The work was cut off, so that its end may fail: that is not the business of the one who left.
    }
  }

  private first(reader: Reader<EventBatch>): void {
    const { host, options } = this;
    const refuse = (error: unknown): void => reader.onFault(this.faultOf(error));
    try {
      const call = host.calls.begin("chat", modelOf(this.attempt), options.signal, () => this.hurry());
      this.call = call;
      const ready = host.ready();
      // No promise where there is nothing to wait for.
      const waits =
        ready === undefined && rules !== undefined
          ? this.begin(call, rules, reader)
          : rulesOfChats(ready).then((loaded) => this.begin(call, loaded, reader));
      if (waits !== undefined) waits.catch(refuse);
    } catch (error) {
      refuse(error);
    }
  }

  /** No turn passes between the last look at the signal and the plugin's first read. */
  private begin(call: Call, rulesNow: typeof Rules, reader: Reader<EventBatch>): Promise<void> | void {
    const { host, options, attempt: request } = this;
    // The caller may have aborted, left or closed meanwhile: then the plugin is not called at all.
    call.signal.throwIfAborted();
    rulesNow.checkRequest(request, options.timeouts);
    this.holdsStart = request.overflow === "drop-oldest";
    const { request: attempt, warnings } = rulesNow.withoutUndeclared(request, host.features);
    this.attempt = attempt;
    this.warnings = warnings;
    if (attempt.responseFormat?.type !== "json") return pullFrom(this.open(call.signal), reader);
    return rulesNow.readOutputSchema(attempt, warnings).then((fits) => {
      call.signal.throwIfAborted();
      this.check = (arrived, { reason }) => {
        if (arrived.calls.length === 0) rulesNow.checkOutput(arrived.text(), reason, fits);
      };
      pullFrom(this.open(call.signal), reader);
    });
  }

  private open(signal: AbortSignal): Pullable<EventBatch> {
    const stream = this.host.stream(this.attempt, { ...this.options, signal });
    return (this.source = batchesOf(stream)[Symbol.asyncIterator]());
  }

  /** What of a batch goes on to the reader. */
  private taken(given: EventBatch): EventBatch {
    let batch = given;
    try {
      batch = this.arrived.add(batch);
      if (this.check !== undefined && this.arrived.finish !== undefined)
        this.check(this.arrived, this.arrived.finish);
    } catch (error) {
      this.dismiss();
      throw this.faultOf(error);
    }
    if (this.holdsStart && !this.arrived.started) {
      this.held.push(...batch);
      return NOTHING;
    }
    if (this.held.length > 0) {
      batch = [...this.held, ...batch];
      this.held = [];
    }
    if ((this.warnings.length > 0 || this.dropping.length > 0) && batch.length > 0) {
      batch = withWarnings(batch, [...this.warnings, ...this.dropping]);
      this.warnings = this.dropping = [];
    }
    this.plain = this.arrived.started;
    return batch;
  }

  private ended(): BatchRead {
    if (this.arrived.finish === undefined) {
      const says = "the answer ended without its closing event";
      throw this.faultOf(new LlmError("stream-interrupted", says, { phase: "stream" }));
    }
    this.end();
    return END;
  }

  /** After the finish nothing comes: neither a fault nor an abort takes back a whole answer. */
  private last(from: Pullable<EventBatch>, reader: Reader<EventBatch>): void {
    let guard: ReturnType<typeof setTimeout> | undefined;
    let closed = false;
    const close = (ended: boolean): void => {
      if (closed) return;
      closed = true;
      clearTimeout(guard);
      // What still has something to say, or does not come to its end, is told to stop.
      if (!ended) this.dismiss();
      this.end();
      reader.onRead(END);
    };
    try {
      pullFrom(from, { onRead: (read) => close(read.done === true), onFault: () => close(true) });
    } catch {
      // It should have answered so.
      close(true);
    }
    if (!closed) guard = setTimeout(close, GRACE, false);
  }

  /** The plugin is told to stop: one that does not listen to its signal holds nobody back for long. */
  private hurry(): void {
    this.stopped = true;
    this.plain = false;
    if (this.reader === undefined || this.arrived.finish !== undefined) return;
    this.grace ??= setTimeout(() => {
      if (!this.left) this.dismiss();
      this.reader?.onFault(this.call?.signal.reason);
    }, DEAF);
  }

  private answered(): void {
    this.reader = undefined;
    if (this.grace === undefined) return;
    clearTimeout(this.grace);
    this.grace = undefined;
  }

  /** The plugin is at fault or has nothing more to say: it is told to stop, and waited for by nobody. */
  private dismiss(): void {
    this.call?.leave();
    void this.leave();
  }

  private leftBy(cause: unknown): LlmError {
    const says = "the stream was left by its reader";
    return new LlmError("aborted", says, { provider: this.host.name, operation: "chat", cause });
  }

  private faultOf(error: unknown): unknown {
    const { arrived, call } = this;
    const partial = arrived.partial(error);
    const known = { phase: arrived.started ? "stream" : "request", partial } as const;
    const fault = call === undefined ? toLlmError(error, "invalid-request", known) : call.fail(error, known);
    this.end();
    return withPartial(fault, partial);
  }

  private end(): void {
    this.over = true;
    this.call?.end();
  }
}

let rules: typeof Rules | undefined;

/** Imported once: also an import of what is there already takes its time. */
async function rulesOfChats(ready?: Promise<void>): Promise<typeof Rules> {
  await ready;
  return (rules ??= await import("./rules.ts"));
}

/** How long a stream may take that was told to stop, in milliseconds: longer than the kit waits, which is to tell its author. */
const DEAF = 1_000;

const END = { value: undefined, done: true } as const;
const NOTHING: EventBatch = [];

/** Whether the closing event is there. What was told to stop may answer with anything. */
const isWhole = (batch: unknown): boolean =>
  Array.isArray(batch) && batch.some((event: Partial<ChatEvent> | undefined) => event?.type === "finish");

function withWarnings(batch: EventBatch, warnings: readonly Warning[]): EventBatch {
  const [start, ...rest] = batch;
  if (start?.type !== "start") return batch;
  return [{ ...start, warnings: [...warnings, ...start.warnings] }, ...rest];
}
