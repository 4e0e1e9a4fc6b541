import { expect, test } from "vitest";

import { batchesOf, type ChatEvent, type EventBatch, fromBatches, type Pullable } from "../src/index.ts";
import { eventsOf, finish, says, start } from "./double.ts";

const ONE = { value: [start], done: false };
const END = { value: undefined, done: true } as const;

test("hands out single events in order, whatever the batches were", async () => {
  const all = [start, ...says("a", "b"), finish];
  const stream = fromBatches(async function* () {
    yield [];
    yield all.slice(0, 3);
    yield [];
    yield all.slice(3);
  });
  expect(await eventsOf(stream)).toEqual(all);
});

test("gives the batches to whoever can take them", async () => {
  const stream = fromBatches(async function* () {
    yield [start, finish];
  });
  const sizes: number[] = [];
  for await (const batch of batchesOf(stream)) sizes.push(batch.length);
  expect(sizes).toEqual([2]);
});

test("reads any async iterable in batches of one", async () => {
  async function* plain(): AsyncGenerator<ChatEvent> {
    yield start;
    yield finish;
  }
  const sizes: number[] = [];
  for await (const batch of batchesOf(plain())) sizes.push(batch.length);
  expect(sizes).toEqual([1, 1]);
});

test("starts nothing before the first read", async () => {
  let opened = 0;
  const stream = fromBatches(() => {
    opened += 1;
    return (async function* () {
      yield [start];
    })();
  });
  const iterator = stream[Symbol.asyncIterator]();
  expect(opened).toBe(0);
  await iterator.next();
  expect(opened).toBe(1);
});

test("answers reads made before the last one settled in their order", async () => {
  const stream = fromBatches(async function* () {
    yield [start];
    yield [finish];
  });
  const iterator = stream[Symbol.asyncIterator]();
  const reads = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()]);
  expect(reads.map((read) => (read.done === true ? "end" : read.value.type))).toEqual([
    "start",
    "finish",
    "end",
    "end",
  ]);
});

test("a source is asked once at a time, also when somebody reads on while it still answers, and no batch is lost", async () => {
  const texts = (...given: string[]): ChatEvent[] =>
    given.map((text) => ({ type: "text-delta", id: "1", text }));
  let pulls = 0;
  let unanswered = 0;
  let most = 0;
  let readOn = (): void => undefined;
  const source: Pullable<EventBatch> = {
    next: () => Promise.reject(new Error("is not called")),
    pull(reader) {
      pulls += 1;
      unanswered += 1;
      most = Math.max(most, unanswered);
      const answer = (read: IteratorResult<EventBatch>): void => {
        unanswered -= 1;
        reader.onRead(read);
      };
      if (pulls === 1) setImmediate(answer, { value: [], done: false });
      else if (pulls === 2) {
        answer({ value: texts("a"), done: false });
        readOn();
      } else if (pulls > 4) answer(END);
      else setImmediate(answer, { value: texts(`${pulls} first`, `${pulls} second`), done: false });
    },
  };
  const iterator = fromBatches(() => source)[Symbol.asyncIterator]();
  const second = new Promise<IteratorResult<ChatEvent, undefined>>((resolve) => {
    readOn = () => resolve(iterator.next());
  });
  const reads = [await iterator.next(), await second];
  await new Promise((resolve) => {
    setTimeout(resolve, 10);
  });
  for (let read = await iterator.next(); read.done !== true; read = await iterator.next()) reads.push(read);
  expect(reads.map(({ value }) => value)).toEqual(texts("a", "3 first", "3 second", "4 first", "4 second"));
  expect(most).toBe(1);
});

test("leaving the loop returns from the source, once", async () => {
  let returned = 0;
  const stream = fromBatches(async function* () {
    try {
      yield [start, finish];
      yield [finish];
    } finally {
      returned += 1;
    }
  });
  for await (const event of stream) {
    expect(event).toBe(start);
    break;
  }
  expect(returned).toBe(1);
  expect(await eventsOf(stream)).toEqual([]);
});

test("asks its source no more after the end", async () => {
  let reads = 0;
  const stream = fromBatches(() => ({ next: async () => ((reads += 1) === 1 ? ONE : END) }));
  const iterator = stream[Symbol.asyncIterator]();
  for (const wanted of [{ value: start, done: false }, END, END, END]) {
    expect(await iterator.next()).toEqual(wanted);
  }
  expect(reads).toBe(2);
});

test("an answer that comes after the reader has left is not handed out", async () => {
  const answer: PromiseWithResolvers<IteratorResult<ChatEvent[], undefined>> = Promise.withResolvers();
  const stream = fromBatches(() => ({ next: () => answer.promise, return: async () => END }));
  const iterator = stream[Symbol.asyncIterator]();
  const read = iterator.next();
  await iterator.return?.();
  answer.resolve({ value: [start], done: false });
  expect(await read).toEqual(END);
});

test("throws a fault once, then ends", async () => {
  const stream = fromBatches(async function* () {
    yield [start];
    throw new Error("cut");
  });
  const iterator = stream[Symbol.asyncIterator]();
  await iterator.next();
  await expect(iterator.next()).rejects.toThrow("cut");
  expect(await iterator.next()).toEqual({ value: undefined, done: true });
});
