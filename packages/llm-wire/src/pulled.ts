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

  constructor(source: Pick<Reads<Value>, "pull">) {
    this.source = source;
  }

  next(): Promise<IteratorResult<Value, undefined>> {
    const asked: PromiseWithResolvers<IteratorResult<Value, undefined>> = Promise.withResolvers();
    this.waiting.push(asked);
    if (this.waiting.length === 1) this.source.pull(this);
    return asked.promise;
  }

  onRead(read: IteratorResult<Value, undefined>): void {
    this.waiting[0]?.resolve(read);
    this.turn();
  }

  onFault(error: unknown): void {
    this.waiting[0]?.reject(error);
    this.turn();
  }

  private turn(): void {
    this.waiting.shift();
    if (this.waiting.length > 0) this.source.pull(this);
  }
}

export const END = { value: undefined, done: true } as const;

/** Reads of nothing. */
export const NOTHING: Reads<never> = {
  pull: (reader) => reader.onRead(END),
  next: async () => END,
  return: async () => END,
};
