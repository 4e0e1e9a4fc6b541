import type { Reader } from "@enginehouse/llm-core";

/** What can be read by `pull`, an answer by a call, and by `next`, a promise. */
export interface Reads<Value> {
  pull(reader: Reader<Value>): void;
  next(): Promise<IteratorResult<Value, undefined>>;
  return(): Promise<IteratorResult<Value, undefined>>;
}

/** `next` over `pull`, which has one reader at a time: reads made ahead wait for their turn. */
export class Turns<Value> implements Reader<Value> {
  private readonly source: Pick<Reads<Value>, "pull">;
  private readonly waiting: PromiseWithResolvers<IteratorResult<Value, undefined>>[] = [];
  /** A source that answers at once is answered here in turn, not one call deeper each time. */
  private pulling = false;
  private answered = false;

  constructor(source: Pick<Reads<Value>, "pull">) {
    this.source = source;
  }

  next(): Promise<IteratorResult<Value, undefined>> {
    const asked: PromiseWithResolvers<IteratorResult<Value, undefined>> = Promise.withResolvers();
    this.waiting.push(asked);
    if (this.waiting.length === 1) this.pullAll();
    return asked.promise;
  }

  onRead(read: IteratorResult<Value, undefined>): void {
    this.waiting.shift()?.resolve(read);
    this.turn();
  }

  onFault(error: unknown): void {
    this.waiting.shift()?.reject(error);
    this.turn();
  }

  private turn(): void {
    this.answered = true;
    if (!this.pulling) this.pullAll();
  }

  private pullAll(): void {
    this.pulling = true;
    do {
      if (this.waiting.length === 0) break;
      this.answered = false;
      try {
        this.source.pull(this);
      } catch (error) {
        // It should have answered so.
        this.onFault(error);
      }
    } while (this.answered);
    this.pulling = false;
  }
}

export const END = { value: undefined, done: true } as const;

/** Reads of nothing. */
export const NOTHING: Reads<never> = {
  pull: (reader) => reader.onRead(END),
  next: async () => END,
  return: async () => END,
};
