import type { ChatEvent } from "./events.ts";

/**
 * Events travel between layers in batches, one array for each read of the backend, and are handed out singly only
 * by the outermost iterator: a layer then costs per read, not per token. A stream made here carries its batches
 * under a symbol, so that whatever wraps it can take them.
 */
const BATCHES = Symbol.for("enginehouse.batches");

export type EventBatch = readonly ChatEvent[];

export type BatchRead = IteratorResult<EventBatch, undefined>;

/** Who waits for a read: one of the two is called, once and as its method, and neither throws. Both stay as they are. */
export interface Reader<Value> {
  onRead(read: IteratorResult<Value>): void;
  onFault(error: unknown): void;
}

/** An iterator that can also answer by a call: a promise in each layer would be paid for every token that comes alone. */
export interface Pullable<Value> extends AsyncIterator<Value> {
  /** `next` without its promise: the reader is answered at once or later. The next pull comes after that. */
  pull?(reader: Reader<Value>): void;
}

/** Where batches come from, and what a layer makes of each: one object with hooks, since every iterator between costs. */
export interface BatchSource {
  next(): Promise<IteratorResult<EventBatch>>;
  pull?(reader: Reader<EventBatch>): void;
  /** Sees every read, the end too. */
  onRead?(read: IteratorResult<EventBatch>): BatchRead;
  /** Sees every rejection; throws, or goes on with another read. Goes with `onRead`. */
  onFault?(error: unknown): Promise<BatchRead>;
  return(): Promise<unknown>;
}

/** A stream of single events over `open`, which is called at the first read. It can be read once. */
export function fromBatches(open: () => Pullable<EventBatch>): AsyncIterable<ChatEvent> {
  let opened: Pullable<EventBatch> | undefined;
  const batches = (): Pullable<EventBatch> => (opened ??= open());
  return streamOf(batches, {
    next: () => batches().next(),
    pull: (reader) => pullFrom(batches(), reader),
    return: async () => opened?.return?.(),
  });
}

/** The same over a source with hooks. */
export function fromSource(source: BatchSource): AsyncIterable<ChatEvent> {
  let batches: Pullable<EventBatch> | undefined;
  return streamOf(() => (batches ??= hookedReads(source)), source);
}

/** The source's batches as its hooks leave them, for whoever reads by promises. */
function hookedReads(source: BatchSource): Pullable<EventBatch> {
  let latest: Promise<BatchRead> | undefined;
  let asked = 0;
  const read = async (): Promise<BatchRead> => {
    try {
      let given: IteratorResult<EventBatch>;
      try {
        given = await readOf(source);
      } catch (error) {
        if (source.onFault === undefined) throw error;
        return await source.onFault(error);
      }
      return source.onRead === undefined ? (given as BatchRead) : source.onRead(given);
    } finally {
      asked -= 1;
    }
  };
  return {
    next() {
      asked += 1;
      // One read at a time: those made ahead wait for their turn.
      latest = asked === 1 || latest === undefined ? read() : latest.then(read, read);
      return latest;
    },
    return: async () => {
      await source.return();
      return END;
    },
  };
}

function streamOf(batches: () => Pullable<EventBatch>, source: BatchSource): AsyncIterable<ChatEvent> {
  let single: AsyncIterator<ChatEvent> | undefined;
  const stream = {
    [Symbol.asyncIterator]: () => (single ??= new Unbatching(source)),
    [BATCHES]: () => ({ [Symbol.asyncIterator]: batches }),
  };
  return stream;
}

/** The stream's events in the arrays in which they arrived; arrays of one where it was not made here. */
export function batchesOf(
  stream: AsyncIterable<ChatEvent>,
): AsyncIterable<EventBatch> & { [Symbol.asyncIterator](): Pullable<EventBatch> } {
  if (BATCHES in stream) return (stream[BATCHES] as () => AsyncIterable<EventBatch>)();
  return (async function* () {
    for await (const event of stream) yield [event];
  })();
}

/** Reads `from` without promises; where it gives nothing but promises, with them. */
export function pullFrom<Value>(from: Pick<Pullable<Value>, "next" | "pull">, reader: Reader<Value>): void {
  if (from.pull !== undefined) return from.pull(reader);
  let read: Promise<IteratorResult<Value>>;
  try {
    read = from.next();
  } catch (error) {
    return reader.onFault(error);
  }
  read.then(
    (result) => reader.onRead(result),
    (error: unknown) => reader.onFault(error),
  );
}

/** One read as a promise, also of an iterator by hand that throws where it should reject. */
export const readOf = <Value>(from: Pick<Pullable<Value>, "next" | "pull">): Promise<IteratorResult<Value>> =>
  new Promise((onRead, onFault) => pullFrom(from, { onRead, onFault }));

const END = { value: undefined, done: true } as const;

/**
 * It stands in every token's path: a token that comes alone costs one promise. A class with one instance that stays,
 * since the engine throws optimised code away when the functions or the shapes of objects that it was made for are gone:
 * each stream after a collection would begin in slow code (docs/decisions/0015-classes-in-the-stream-path.md).
 */
class Unbatching implements AsyncIterator<ChatEvent, undefined>, Reader<EventBatch> {
  static readonly kept = new Unbatching({ next: async () => END, return: async () => END });
  private readonly source: BatchSource;
  private batch: EventBatch = [];
  private at = 0;
  private ended = false;
  /** The oldest read that has no answer yet. */
  private asked: Asked | undefined;
  /** Reads made before that one was answered: somebody reads ahead. */
  private readonly ahead: Asked[] = [];
  /** The source was asked, and has not answered yet. */
  private pulling = false;
  /** A source that answers at once is answered here in turn, not one call deeper each time. */
  private answering = false;

  constructor(source: BatchSource) {
    this.source = source;
  }

  next(): Promise<Single> {
    const free = this.asked === undefined;
    const event = this.batch[this.at];
    if (event !== undefined && free && !this.ended) {
      this.at += 1;
      return Promise.resolve({ value: event, done: false });
    }
    const asked: Asked = Promise.withResolvers();
    if (!free) this.ahead.push(asked);
    else {
      this.asked = asked;
      if (this.ended) this.answer();
      else {
        // As in `more`: one function less on the way of a token that comes alone.
        this.pulling = true;
        try {
          pullFrom(this.source, this);
        } catch (error) {
          this.onFault(error);
        }
      }
    }
    return asked.promise;
  }

  async return(): Promise<typeof END> {
    this.ended = true;
    await this.source.return();
    return END;
  }

  onRead(read: IteratorResult<EventBatch>): void {
    let seen = read;
    if (this.source.onRead !== undefined) {
      try {
        seen = this.source.onRead(read);
      } catch (error) {
        return this.refuse(error);
      }
    }
    const { asked } = this;
    const event = this.ended || seen.done === true ? undefined : seen.value[0];
    if (event === undefined || asked === undefined || this.ahead.length > 0) return this.accept(seen);
    // A token that comes alone takes this way: little code, soon compiled.
    this.pulling = false;
    this.batch = seen.value as EventBatch;
    this.at = 1;
    this.asked = undefined;
    asked.resolve({ value: event, done: false });
  }

  onFault(error: unknown): void {
    if (this.source.onFault === undefined) return this.refuse(error);
    let rescue: Promise<BatchRead>;
    try {
      rescue = this.source.onFault(error);
    } catch (fault) {
      return this.refuse(fault);
    }
    rescue.then(
      (read) => this.accept(read),
      (fault: unknown) => this.refuse(fault),
    );
  }

  private answer(): void {
    if (this.answering) return;
    this.answering = true;
    while (this.asked !== undefined) {
      const event = this.ended ? undefined : this.batch[this.at];
      if (event === undefined && !this.ended) {
        if (this.pulling) break;
        this.more();
        continue;
      }
      const { resolve } = this.asked;
      this.asked = this.ahead.length === 0 ? undefined : this.ahead.shift();
      this.at += 1;
      resolve(event === undefined ? END : { value: event, done: false });
    }
    this.answering = false;
  }

  private more(): void {
    this.pulling = true;
    try {
      pullFrom(this.source, this);
    } catch (error) {
      // It should have answered so.
      this.onFault(error);
    }
  }

  private accept(read: IteratorResult<EventBatch>): void {
    this.pulling = false;
    if (read.done === true) this.ended = true;
    else {
      this.batch = read.value;
      this.at = 0;
    }
    this.answer();
  }

  private refuse(error: unknown): void {
    this.pulling = false;
    this.ended = true;
    const refused = this.asked;
    this.asked = this.ahead.shift();
    refused?.reject(error);
    this.answer();
  }
}

type Single = IteratorResult<ChatEvent, undefined>;
type Asked = PromiseWithResolvers<Single>;
