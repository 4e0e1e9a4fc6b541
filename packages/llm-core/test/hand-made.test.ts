import { describe, expect, test, vi } from "vitest";

import {
  batchesOf,
  type ChatEvent,
  type ChatRequest,
  type EventBatch,
  fromBatches,
  generate,
  LlmError,
  type Provider,
  type Pullable,
  type Reader,
} from "../src/index.ts";
import { ask, eventsOf, faultOf, finish, pluginOf, says, start } from "./double.ts";

/** A provider whose stream is this iterator of batches. */
const providerOf = (open: () => Pullable<EventBatch>): Provider =>
  pluginOf(() => ({ stream: () => fromBatches(open) })).create();

const open = (provider: Provider, request: ChatRequest = ask, signal?: AbortSignal) => {
  const stream = provider.stream?.(request, { signal });
  if (stream === undefined) throw new Error("no stream");
  return stream;
};

const given = (value: EventBatch): IteratorResult<EventBatch> => ({ value, done: false });
const END: IteratorResult<EventBatch> = { value: undefined, done: true };

/** Whether the listener on a caller's signal is taken off again. */
function watched(): { signal: AbortSignal; free: () => boolean } {
  const { signal } = new AbortController();
  const add = vi.spyOn(signal, "addEventListener");
  const remove = vi.spyOn(signal, "removeEventListener");
  return { signal, free: () => add.mock.calls.length === remove.mock.calls.length };
}

/** The second read is `broken`; the first gives a start and a word. */
function brokenAt(broken: () => never): { next: Pullable<EventBatch>; pull: Pullable<EventBatch> } {
  const after = (): (() => IteratorResult<EventBatch>) => {
    let reads = 0;
    return () => ((reads += 1) === 1 ? given([start, ...says("a")]) : broken());
  };
  const byNext = after();
  const byPull = after();
  return {
    next: { next: () => Promise.resolve(byNext()) },
    pull: {
      next: async () => byPull(),
      pull: (reader: Reader<EventBatch>) => reader.onRead(byPull()),
    },
  };
}

describe("an iterator by hand that throws instead of rejecting", () => {
  const broken = (): never => {
    throw new TypeError("a bug");
  };

  test.each(["next", "pull"] as const)(
    "in its %s is an LlmError with what had arrived, and nothing stays on the caller's signal",
    async (how) => {
      const { signal, free } = watched();
      const provider = providerOf(() => brokenAt(broken)[how]);
      expect(await faultOf(eventsOf(open(provider, ask, signal)))).toMatchObject({
        code: "provider-internal",
        provider: "double",
        partial: { text: "a" },
      });
      expect(free()).toBe(true);
    },
  );

  test.each([undefined, null])("in a batch that is %s is no less", async (nothing) => {
    const { signal, free } = watched();
    const text: ChatEvent = { type: "text-delta", id: "t", text: "a" };
    let reads = 0;
    const provider = providerOf(() => ({
      next: async () => given((reads += 1) < 3 ? [reads === 1 ? start : text] : (nothing as never)),
    }));
    expect(await faultOf(eventsOf(open(provider, ask, signal)))).toMatchObject({
      code: "provider-internal",
      partial: { text: "a" },
    });
    expect(free()).toBe(true);
  });

  test("is one to whoever collects the batches, too", async () => {
    const { signal, free } = watched();
    const plain: Provider["stream"] = () => fromBatches(() => brokenAt(broken).next);
    const provider = pluginOf(() => ({ stream: plain })).create();
    expect(await faultOf(generate(provider, ask, { signal }))).toMatchObject({
      code: "provider-internal",
      partial: { text: "a" },
    });
    expect(free()).toBe(true);
  });

  test.each(["next", "pull"] as const)("in its %s after the finish takes nothing back", async (how) => {
    let reads = 0;
    const read = (): IteratorResult<EventBatch> => ((reads += 1) === 1 ? given([start, finish]) : broken());
    const provider = providerOf(() =>
      how === "next"
        ? { next: () => Promise.resolve(read()) }
        : { next: async () => read(), pull: (reader) => reader.onRead(read()) },
    );
    expect(await eventsOf(open(provider))).toEqual([start, finish]);
  });

  test.each<[string, () => unknown]>([
    ["throws", broken],
    ["gives no promise", () => END],
  ])("when it is left, or %s then, hides no fault", async (_, leave) => {
    const { signal, free } = watched();
    const provider = providerOf(
      () => ({ next: async () => given([start, start]), return: leave }) as unknown as Pullable<EventBatch>,
    );
    expect(await faultOf(eventsOf(open(provider, ask, signal)))).toMatchObject({
      code: "invalid-response",
      message: expect.stringContaining("second start"),
    });
    expect(free()).toBe(true);
  });
});

describe("an iterator by hand that answers at once", () => {
  test("may give a hundred thousand empty batches", async () => {
    let left = 100_000;
    const read = (): IteratorResult<EventBatch> => {
      left -= 1;
      if (left > 0) return given([]);
      return left === 0 ? given([start, finish]) : END;
    };
    const provider = providerOf(() => ({
      next: async () => read(),
      pull: (reader) => reader.onRead(read()),
    }));
    expect(await eventsOf(open(provider))).toEqual([start, finish]);
  });

  test("may be read ten thousand events ahead", async () => {
    const read = given(says("a").slice(1, 2));
    let first: Reader<EventBatch> | undefined;
    const iterator = fromBatches(() => ({
      next: async () => read,
      pull(reader) {
        // All that follows is answered inside of the first, late answer.
        if (first === undefined) first = reader;
        else reader.onRead(read);
      },
    }))[Symbol.asyncIterator]();
    const reads = Array.from({ length: 10_000 }, () => iterator.next());
    first?.onRead(read);
    expect((await Promise.all(reads)).every(({ done }) => done === false)).toBe(true);
  });
});

describe("batches that are read ahead", () => {
  test("are asked of the plugin once, and come in order", async () => {
    const stream = vi.fn(() =>
      fromBatches(async function* () {
        yield [start];
        yield says("a");
        yield [finish];
      }),
    );
    const provider = pluginOf(() => ({ stream })).create();
    const batches = batchesOf(open(provider))[Symbol.asyncIterator]();
    const reads = await Promise.all([batches.next(), batches.next(), batches.next(), batches.next()]);
    expect(stream).toHaveBeenCalledTimes(1);
    expect(reads.map((read) => (read.done === true ? "end" : read.value.map(({ type }) => type)))).toEqual([
      ["start"],
      ["text-start", "text-delta", "text-end"],
      ["finish"],
      "end",
    ]);
  });
});

describe("between a refusal and the shorter attempt", () => {
  const turn = [...ask.messages, { role: "assistant", content: "yes" }] as const;
  const request: ChatRequest = {
    ...ask,
    overflow: "drop-oldest",
    messages: [...turn, ...turn, ...ask.messages],
  };

  /** Refuses the first attempt when told to. */
  function refusing(): { provider: Provider; calls: () => number; refuse: () => void } {
    let calls = 0;
    let refuse = (): void => undefined;
    const stream = (): AsyncIterable<ChatEvent> => {
      calls += 1;
      if (calls > 1)
        return fromBatches(async function* () {
          yield [start, finish];
        });
      return fromBatches(() => ({
        next: () =>
          new Promise((_, reject) => {
            refuse = () => reject(new LlmError("context-overflow", "too long"));
          }),
      }));
    };
    return { provider: pluginOf(() => ({ stream })).create(), calls: () => calls, refuse: () => refuse() };
  }

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    "an abort or leaving, %i turns of the queue later, keeps the plugin from being asked again with nobody there",
    async (turns) => {
      for (const how of ["abort", "leave", "close"] as const) {
        const controller = new AbortController();
        const { provider, calls, refuse } = refusing();
        const iterator = open(provider, request, controller.signal)[Symbol.asyncIterator]();
        const reading = iterator.next().then(
          () => "read",
          (error: unknown) => (error as LlmError).code,
        );
        await vi.waitFor(() => expect(calls()).toBe(1));
        refuse();
        for (let turned = 0; turned < turns; turned += 1) await Promise.resolve();
        const before = calls();
        if (how === "abort") controller.abort();
        else if (how === "close") void provider.close();
        else void iterator.return?.();
        await reading;
        await new Promise(setImmediate);
        expect([how, calls()]).toEqual([how, before]);
      }
    },
  );
});
