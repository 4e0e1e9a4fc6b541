import { getEventListeners } from "node:events";

import { beforeEach, describe, expect, test, vi } from "vitest";

import {
  type ChatEvent,
  type ChatRequest,
  type EventBatch,
  fromBatches,
  generate,
  LlmError,
  type Provider,
  type Pullable,
} from "../src/index.ts";
import { ask, faultOf, finish, pluginOf, says, start, streamOf } from "./double.ts";

const never = () => new Promise<never>(() => undefined);

/** How many streams have fallen silent. */
let silences = 0;
beforeEach(() => {
  silences = 0;
});
const silent = (count: number): Promise<void> => vi.waitFor(() => expect(silences).toBe(count));

/** Streams that say a word, and then nothing, whatever their signal says. */
const streams: [string, () => AsyncIterable<ChatEvent>][] = [
  [
    "a generator",
    async function* () {
      yield start;
      yield* says("a");
      silences += 1;
      await never();
    },
  ],
  [
    "an iterator that pulls",
    () =>
      fromBatches((): Pullable<EventBatch> => {
        let pulls = 0;
        return {
          next: never,
          pull(reader) {
            pulls += 1;
            if (pulls === 1) reader.onRead({ value: [start], done: false });
            else if (pulls === 2) reader.onRead({ value: says("a"), done: false });
            else silences += 1;
          },
          return: never,
        };
      }),
  ],
];

const provide = (stream: () => AsyncIterable<ChatEvent>): Provider => pluginOf(() => ({ stream })).create();

function reading(provider: Provider, signal?: AbortSignal) {
  const iterator = provider.stream?.(ask, { signal })[Symbol.asyncIterator]();
  if (iterator === undefined) throw new Error("no stream");
  const ended = (async () => {
    const events: ChatEvent[] = [];
    for (;;) {
      const read = await iterator.next();
      if (read.done === true) return events;
      events.push(read.value);
    }
  })();
  return { iterator, fault: faultOf(ended) };
}

const aWhile = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 20));

describe.each(streams)("%s that does not listen to its signal", (_, stream) => {
  test("holds nobody back who aborts, whether events or the whole answer are awaited", async () => {
    const controller = new AbortController();
    const { iterator, fault } = reading(provide(stream), controller.signal);
    const whole = faultOf(generate(provide(stream), ask, { signal: controller.signal }));
    await silent(2);
    controller.abort("enough");
    for (const one of [fault, whole])
      expect(await one).toMatchObject({ code: "aborted", cause: "enough", partial: { text: "a" } });
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
  });

  test("holds nobody back who closes", async () => {
    const provider = provide(stream);
    const { fault } = reading(provider);
    await silent(1);
    await provider.close();
    expect(await fault).toMatchObject({ code: "shut-down" });
  });

  test("holds nobody back who leaves while a read is under way", async () => {
    const { iterator, fault } = reading(provide(stream));
    await silent(1);
    await iterator.return?.();
    expect(await fault).toMatchObject({ code: "aborted" });
  });
});

test("a stream that goes on talking after an abort is not read to its end, and what it holds is let go", async () => {
  let said = 0;
  let freed = false;
  const provider = provide(async function* () {
    try {
      yield start;
      for (;;) {
        said += 1;
        yield* says(`${said} `);
        await aWhile();
      }
    } finally {
      freed = true;
    }
  });
  const controller = new AbortController();
  const { fault } = reading(provider, controller.signal);
  await vi.waitFor(() => expect(said).toBeGreaterThan(1));
  const before = said;
  controller.abort();
  expect(await fault).toMatchObject({ code: "aborted" });
  expect(said).toBeLessThan(before + 3);
  await vi.waitFor(() => expect(freed).toBe(true));
});

test.each([undefined, null, [undefined]])(
  "a batch that is %j after an abort is an abort",
  async (nothing) => {
    const controller = new AbortController();
    let reads = 0;
    let left = false;
    const plain: Provider["stream"] = (_, { signal } = {}) =>
      fromBatches(() => ({
        next: () =>
          (reads += 1) === 1
            ? Promise.resolve({ value: [start], done: false })
            : new Promise((resolve) => {
                const answer = (): void => resolve({ value: nothing as never, done: false });
                signal?.addEventListener("abort", answer);
              }),
        return: async () => {
          left = true;
          return { value: undefined, done: true };
        },
      }));
    const { fault } = reading(pluginOf(() => ({ stream: plain })).create(), controller.signal);
    await vi.waitFor(() => expect(reads).toBe(2));
    controller.abort();
    expect(await fault).toMatchObject({ code: "aborted" });
    expect(left).toBe(true);
  },
);

test("a text that comes after an abort is not handed on", async () => {
  const provider = provide(async function* () {
    yield start;
    for (;;) yield { type: "text-delta", id: "t", text: "more" };
  });
  const controller = new AbortController();
  const stream = provider.stream?.(ask, { signal: controller.signal });
  const iterator = (stream as AsyncIterable<ChatEvent>)[Symbol.asyncIterator]();
  for (let reads = 0; reads < 3; reads += 1) await iterator.next();
  controller.abort();
  expect(await faultOf(iterator.next())).toMatchObject({ code: "aborted", partial: { text: "moremore" } });
});

test("a second attempt that does not listen holds nobody back, either", async () => {
  let attempts = 0;
  const provider = provide(() => {
    attempts += 1;
    if (attempts === 2) return fromBatches(() => ({ next: never }));
    return streamOf([], new LlmError("context-overflow", "too long"))();
  });
  const controller = new AbortController();
  const turn = [...ask.messages, { role: "assistant", content: "yes" }] as const;
  const request: ChatRequest = { ...ask, overflow: "drop-oldest", messages: [...turn, ...ask.messages] };
  const whole = faultOf(generate(provider, request, { signal: controller.signal }));
  await vi.waitFor(() => expect(attempts).toBe(2));
  controller.abort();
  expect(await whole).toMatchObject({ code: "aborted" });
});

test("an answer whose finish comes just behind an abort is whole", async () => {
  const controller = new AbortController();
  const provider = provide(() =>
    fromBatches(async function* () {
      yield [start, ...says("a")];
      controller.abort();
      yield [finish];
    }),
  );
  const types: string[] = [];
  for await (const { type } of provider.stream?.(ask, { signal: controller.signal }) ?? []) types.push(type);
  expect(types.at(-1)).toBe("finish");
});

test("a stream that listens leaves no timer behind", async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = timers();
  const controller = new AbortController();
  const provider = pluginOf(() => ({
    stream: (_, { signal } = {}) =>
      fromBatches(async function* () {
        yield [start];
        await new Promise((_resolve, reject) => signal?.addEventListener("abort", reject));
      }),
  })).create();
  const { fault } = reading(provider, controller.signal);
  await new Promise(setImmediate);
  controller.abort();
  expect(await fault).toMatchObject({ code: "aborted" });
  expect(timers()).toBe(before);
});

describe("a download that does not listen to its signal", () => {
  function pulling(signal?: AbortSignal) {
    const provider = pluginOf(() => ({
      async *pullModel() {
        yield { status: "downloading" as const, fraction: 0.5 };
        silences += 1;
        await never();
      },
    })).create();
    const progress = provider.pullModel?.({ model: "m" }, { signal })[Symbol.asyncIterator]();
    if (progress === undefined) throw new Error("no pull");
    return { provider, progress };
  }

  test.each(["an abort", "a close"] as const)("ends with %s", async (how) => {
    const controller = new AbortController();
    const { provider, progress } = pulling(controller.signal);
    await progress.next();
    const waiting = faultOf(progress.next());
    await silent(1);
    if (how === "an abort") controller.abort();
    else await provider.close();
    expect(await waiting).toMatchObject({
      code: how === "an abort" ? "aborted" : "shut-down",
      phase: "pull",
    });
    expect(await progress.next()).toEqual({ value: undefined, done: true });
  });

  test("ends with an abort between two reads", async () => {
    const controller = new AbortController();
    const { progress } = pulling(controller.signal);
    await progress.next();
    controller.abort();
    expect(await faultOf(progress.next())).toMatchObject({ code: "aborted" });
  });

  test("can be left while its next progress is awaited", async () => {
    const { progress } = pulling();
    await progress.next();
    const waiting = progress.next();
    await silent(1);
    await progress.return?.();
    expect(await waiting).toEqual({ value: undefined, done: true });
  });
});

test("a long download leaves no listener for each progress", async () => {
  let most = 0;
  const provider = pluginOf(() => ({
    async *pullModel(_, { signal } = {}) {
      for (let step = 0; step < 50; step += 1) {
        if (signal !== undefined) most = Math.max(most, getEventListeners(signal, "abort").length);
        yield { status: "downloading" as const, fraction: step / 50 };
      }
      yield { status: "done" as const, model: "m" };
    },
  })).create();
  for await (const { fraction } of provider.pullModel?.({ model: "m" }) ?? [])
    expect(fraction).toBeLessThanOrEqual(1);
  expect(most).toBeLessThan(4);
});
