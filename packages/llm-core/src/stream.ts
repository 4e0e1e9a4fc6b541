import type { ChatEvent } from "./events.ts";

/**
 * Events travel between layers in batches, one array for each read of the backend, and are handed out singly only
 * by the outermost iterator: a layer then costs per read, not per token. A stream made here carries its batches
 * under a symbol, so that whatever wraps it can take them.
 */
const BATCHES = Symbol.for("enginehouse.batches");

export type EventBatch = readonly ChatEvent[];

export type BatchRead = IteratorResult<EventBatch, undefined>;

/** Where batches come from, and what a layer makes of each: one object with hooks, since every iterator between costs. */
export interface BatchSource {
  next(): Promise<IteratorResult<EventBatch>>;
  /** Sees every read, the end too. */
  readonly onRead?: (read: IteratorResult<EventBatch>) => BatchRead;
  /** Sees every rejection; throws, or goes on with another read. Goes with `onRead`. */
  readonly onFault?: (error: unknown) => Promise<BatchRead>;
  return(): Promise<unknown>;
}

/** A stream of single events over `open`, which is called at the first read. It can be read once. */
export function fromBatches(open: () => AsyncIterator<EventBatch>): AsyncIterable<ChatEvent> {
  let opened: AsyncIterator<EventBatch> | undefined;
  return fromSource({
    next: () => (opened ??= open()).next(),
    return: async () => opened?.return?.(),
  });
}

/** The same over a source with hooks. */
export function fromSource(source: BatchSource): AsyncIterable<ChatEvent> {
  let single: AsyncIterator<ChatEvent> | undefined;
  const { onRead, onFault } = source;
  const batches: AsyncIterator<EventBatch> = {
    // Without hooks the read itself is handed on: a promise less for each.
    next: onRead === undefined ? () => source.next() : () => source.next().then(onRead, onFault),
    return: async () => {
      await source.return();
      return END;
    },
  };
  const stream = {
    [Symbol.asyncIterator]: () => (single ??= unbatch(source)),
    [BATCHES]: (): AsyncIterable<EventBatch> => ({ [Symbol.asyncIterator]: () => batches }),
  };
  return stream;
}

/** The stream's events in the arrays in which they arrived; arrays of one where it was not made here. */
export function batchesOf(stream: AsyncIterable<ChatEvent>): AsyncIterable<EventBatch> {
  if (BATCHES in stream) return (stream[BATCHES] as () => AsyncIterable<EventBatch>)();
  return (async function* () {
    for await (const event of stream) yield [event];
  })();
}

const END = { value: undefined, done: true } as const;
const plain = (read: unknown): unknown => read;

type Single = IteratorResult<ChatEvent, undefined>;

function unbatch(source: BatchSource): AsyncIterator<ChatEvent, undefined> {
  const onRead = source.onRead ?? (plain as (read: IteratorResult<EventBatch>) => BatchRead);
  let batch: EventBatch = [];
  let at = 0;
  let ended = false;
  /** Reads that were made and not answered. More than one: somebody reads ahead. */
  let waiting = 0;
  let latest: Promise<Single> | undefined;

  const take = (): Promise<Single> => source.next().then(onBatch, onFault);

  /** Answers the oldest read. */
  const step = (): Promise<Single> | Single => {
    const event = batch[at];
    if (event === undefined && !ended) return take();
    waiting -= 1;
    if (event === undefined || ended) return END;
    at += 1;
    return { value: event, done: false };
  };

  const end = (error: unknown): never => {
    ended = true;
    waiting -= 1;
    throw error;
  };

  const accept = (read: BatchRead): void => {
    if (read.done === true) ended = true;
    else {
      batch = read.value;
      at = 0;
    }
  };

  const onBatch = (raw: IteratorResult<EventBatch>): Promise<Single> | Single => {
    try {
      accept(onRead(raw));
    } catch (error) {
      end(error);
    }
    return step();
  };

  const onFault = async (error: unknown): Promise<Single> => {
    try {
      if (source.onFault === undefined) throw error;
      accept(await source.onFault(error));
    } catch (last) {
      end(last);
    }
    return step();
  };

  return {
    next() {
      if (waiting > 0 && latest !== undefined) {
        // Answered in order, one after the other.
        waiting += 1;
        return (latest = latest.then(step, step));
      }
      const event = batch[at];
      if (event !== undefined && !ended) {
        at += 1;
        return Promise.resolve({ value: event, done: false });
      }
      if (ended) return Promise.resolve(END);
      waiting = 1;
      return (latest = take());
    },
    async return() {
      ended = true;
      await source.return();
      return END;
    },
  };
}
