import type { ChatEvent } from "./events.ts";

/**
 * Events travel between layers in batches, one array for each read of the backend, and are handed out singly only
 * by the outermost iterator: a layer then costs per read, not per token. A stream made here carries its batches
 * under a symbol, so that whatever wraps it can take them.
 */
const BATCHES = Symbol.for("enginehouse.batches");

export type EventBatch = readonly ChatEvent[];

export type BatchRead = IteratorResult<EventBatch, undefined>;

/** Who waits for a read: one of the two is called, once, and neither throws. */
export interface Reader<Value> {
  readonly onRead: (read: IteratorResult<Value>) => void;
  readonly onFault: (error: unknown) => void;
}

/** An iterator that can also answer by a call: a promise in each layer would be paid for every token that comes alone. */
export interface Pullable<Value> extends AsyncIterator<Value> {
  /** `next` without its promise: the reader is answered at once or later. The next pull comes after that. */
  readonly pull?: Pull<Value>;
}

export type Pull<Value> = (reader: Reader<Value>) => void;

/** Where batches come from, and what a layer makes of each: one object with hooks, since every iterator between costs. */
export interface BatchSource {
  next(): Promise<IteratorResult<EventBatch>>;
  readonly pull?: Pull<EventBatch>;
  /** Sees every read, the end too. */
  readonly onRead?: (read: IteratorResult<EventBatch>) => BatchRead;
  /** Sees every rejection; throws, or goes on with another read. Goes with `onRead`. */
  readonly onFault?: (error: unknown) => Promise<BatchRead>;
  return(): Promise<unknown>;
}

/** A stream of single events over `open`, which is called at the first read. It can be read once. */
export function fromBatches(open: () => Pullable<EventBatch>): AsyncIterable<ChatEvent> {
  let opened: Pullable<EventBatch> | undefined;
  const batches = (): Pullable<EventBatch> => (opened ??= open());
  return streamOf(batches, { open: batches, leave: async () => opened?.return?.() });
}

/** The same over a source with hooks. */
export function fromSource(source: BatchSource): AsyncIterable<ChatEvent> {
  const { onRead, onFault } = source;
  const leave = (): Promise<unknown> => source.return();
  const batches: Pullable<EventBatch> = {
    next: () => source.next().then(onRead, onFault),
    return: async () => {
      await leave();
      return END;
    },
  };
  return streamOf(() => batches, { open: () => source, leave, onRead, onFault });
}

function streamOf(batches: () => Pullable<EventBatch>, source: Unbatching): AsyncIterable<ChatEvent> {
  let single: AsyncIterator<ChatEvent> | undefined;
  const stream = {
    [Symbol.asyncIterator]: () => (single ??= unbatch(source)),
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

/** How `from` is read without promises; where it gives nothing but promises, with them. */
export function pullOf<Value>(from: Pick<Pullable<Value>, "next" | "pull">): Pull<Value> {
  if (from.pull !== undefined) return from.pull;
  return ({ onRead, onFault }) => {
    try {
      from.next().then(onRead, onFault);
    } catch (error) {
      onFault(error);
    }
  };
}

const END = { value: undefined, done: true } as const;

interface Unbatching {
  readonly open: () => Pick<Pullable<EventBatch>, "next" | "pull">;
  readonly leave: () => Promise<unknown>;
  readonly onRead?: BatchSource["onRead"] | undefined;
  readonly onFault?: BatchSource["onFault"] | undefined;
}

/** It stands in every token's path: a token that comes alone costs one promise. */
function unbatch(source: Unbatching): AsyncIterator<ChatEvent, undefined> {
  let pull: Pull<EventBatch> | undefined;
  let batch: EventBatch = [];
  let at = 0;
  let ended = false;
  /** The oldest read that has no answer yet. */
  let asked: Reader<ChatEvent> | undefined;
  /** Reads made before that one was answered: somebody reads ahead. */
  const ahead: Reader<ChatEvent>[] = [];

  const answer = (): void => {
    while (asked !== undefined) {
      const event = ended ? undefined : batch[at];
      if (event === undefined && !ended) return more();
      const { onRead } = asked;
      asked = ahead.length === 0 ? undefined : ahead.shift();
      at += 1;
      onRead(event === undefined ? END : { value: event, done: false });
    }
  };

  const more = (): void => {
    try {
      pull ??= pullOf(source.open());
    } catch (error) {
      return refuse(error);
    }
    pull(reader);
  };

  const accept = (read: IteratorResult<EventBatch>): void => {
    if (read.done === true) ended = true;
    else {
      batch = read.value;
      at = 0;
    }
    answer();
  };

  const refuse = (error: unknown): void => {
    ended = true;
    const reading = asked;
    asked = ahead.shift();
    reading?.onFault(error);
    answer();
  };

  const { onRead: hook, onFault: rescue } = source;
  const reader: Reader<EventBatch> = {
    onRead:
      hook === undefined
        ? accept
        : (read) => {
            let seen: BatchRead;
            try {
              seen = hook(read);
            } catch (error) {
              return refuse(error);
            }
            accept(seen);
          },
    onFault: rescue === undefined ? refuse : (error) => void rescue(error).then(accept, refuse),
  };

  const ask = (onRead: (read: Single) => void, onFault: (error: unknown) => void): void => {
    const reading = { onRead, onFault };
    if (asked !== undefined) ahead.push(reading);
    else {
      asked = reading;
      answer();
    }
  };

  return {
    next() {
      const event = batch[at];
      if (event === undefined || ended || asked !== undefined) return new Promise(ask);
      at += 1;
      return Promise.resolve({ value: event, done: false });
    },
    async return() {
      ended = true;
      await source.leave();
      return END;
    },
  };
}

type Single = IteratorResult<ChatEvent, undefined>;
