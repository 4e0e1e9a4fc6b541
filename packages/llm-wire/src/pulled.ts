import type { Reader } from "@enginehouse/llm-core";

/** What can be read by `pull`, an answer by a call, and by `next`, a promise. */
export interface Reads<Value> {
  pull(reader: Reader<Value>): void;
  next(): Promise<IteratorResult<Value, undefined>>;
  return(): Promise<IteratorResult<Value, undefined>>;
}

/** `next` over `pull`, which has one reader at a time: reads made ahead wait for their turn. */
export function pulled<Value>(
  pull: (reader: Reader<Value>) => void,
  leave: () => Promise<void>,
): Reads<Value> {
  const waiting: Reader<Value>[] = [];
  const next = (): void => {
    waiting.shift();
    if (waiting.length > 0) pull(first);
  };
  const first: Reader<Value> = {
    onRead(read) {
      waiting[0]?.onRead(read);
      next();
    },
    onFault(error) {
      waiting[0]?.onFault(error);
      next();
    },
  };
  return {
    pull,
    next: () =>
      new Promise((resolve, reject) => {
        waiting.push({ onRead: resolve as Reader<Value>["onRead"], onFault: reject });
        if (waiting.length === 1) pull(first);
      }),
    async return() {
      await leave();
      return END;
    },
  };
}

export const END = { value: undefined, done: true } as const;
