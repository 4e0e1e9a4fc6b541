import type { ChatEvent } from "./events.ts";

/**
 * Events travel between layers in batches, one array for each read of the backend, and are handed out singly only
 * by the outermost iterator: a layer then costs per read, not per token. A stream made here carries its batches
 * under a symbol, so that whatever wraps it can take them.
 */
const BATCHES = Symbol.for("enginehouse.batches");

export type EventBatch = readonly ChatEvent[];

/** A stream of single events over `open`, which is called at the first read. It can be read once. */
export function fromBatches(open: () => AsyncIterator<EventBatch>): AsyncIterable<ChatEvent> {
  let batches: AsyncIterator<EventBatch> | undefined;
  const take = (): AsyncIterator<EventBatch> => (batches ??= open());
  let single: AsyncIterator<ChatEvent> | undefined;
  const stream = {
    [Symbol.asyncIterator]: () => (single ??= unbatch(take, () => batches)),
    [BATCHES]: (): AsyncIterable<EventBatch> => ({ [Symbol.asyncIterator]: take }),
  };
  return stream;
}

/** The stream's events in the arrays in which they arrived; arrays of one where it was not made by `fromBatches`. */
export function batchesOf(stream: AsyncIterable<ChatEvent>): AsyncIterable<EventBatch> {
  if (BATCHES in stream) return (stream[BATCHES] as () => AsyncIterable<EventBatch>)();
  return (async function* () {
    for await (const event of stream) yield [event];
  })();
}

const END = { value: undefined, done: true } as const;

function unbatch(
  take: () => AsyncIterator<EventBatch>,
  opened: () => AsyncIterator<EventBatch> | undefined,
): AsyncIterator<ChatEvent> {
  let batch: EventBatch = [];
  let at = 0;
  let ended = false;
  let pending: Promise<IteratorResult<ChatEvent>> | undefined;

  const step = (): Promise<IteratorResult<ChatEvent>> | IteratorResult<ChatEvent> => {
    const event = batch[at];
    if (event !== undefined && !ended) {
      at += 1;
      return { value: event, done: false };
    }
    return ended ? END : take().next().then(onBatch, onFault);
  };

  const onBatch = (
    read: IteratorResult<EventBatch>,
  ): Promise<IteratorResult<ChatEvent>> | IteratorResult<ChatEvent> => {
    pending = undefined;
    if (read.done === true) ended = true;
    else {
      batch = read.value;
      at = 0;
    }
    return step();
  };

  const onFault = (error: unknown): never => {
    pending = undefined;
    ended = true;
    throw error;
  };

  return {
    next() {
      if (pending !== undefined) {
        // Somebody reads ahead: answered in order, one after the other.
        pending = pending.then(step, step);
        return pending;
      }
      const event = batch[at];
      if (event !== undefined && !ended) {
        at += 1;
        return Promise.resolve({ value: event, done: false });
      }
      if (ended) return Promise.resolve(END);
      pending = take().next().then(onBatch, onFault);
      return pending;
    },
    async return() {
      ended = true;
      await opened()?.return?.();
      return END;
    },
  };
}
