import { expect, test } from "vitest";

import { batchesOf, type ChatEvent, fromBatches } from "../src/index.ts";
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
