import { describe, expect, test, vi } from "vitest";

import {
  batchesOf,
  type ChatEvent,
  type ChatRequest,
  defineProvider,
  fromBatches,
  LlmError,
  type Provider,
  type SettingsSchema,
} from "../src/index.ts";
import { ask, eventsOf, faultOf, finish, pluginOf, says, start, streamOf } from "./double.ts";

/** A provider whose settings are checked as slowly as the test wants. */
function slow(make: () => Partial<Provider>): { provider: Provider; checked: () => void } {
  let checked = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    checked = resolve;
  });
  const settings: SettingsSchema = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: async (value) => {
        await gate;
        return { value };
      },
    },
  };
  const provider = defineProvider({
    id: "slow",
    contract: 1,
    features: ["json-schema"],
    settings,
    create: (_, host): Provider => ({ name: host.name, close: async () => undefined, ...make() }),
  }).create();
  return { provider, checked: () => checked() };
}

const open = (provider: Provider, request: ChatRequest = ask, signal?: AbortSignal) => {
  const stream = provider.stream?.(request, { signal });
  if (stream === undefined) throw new Error("no stream");
  return stream;
};

describe("between a call and the plugin's own code", () => {
  test.each(["an abort", "a close", "leaving"] as const)(
    "%s keeps the plugin from being called at all",
    async (how) => {
      const stream = vi.fn(streamOf([[start, finish]]));
      const { provider, checked } = slow(() => ({ stream }));
      const controller = new AbortController();
      const iterator = open(provider, ask, controller.signal)[Symbol.asyncIterator]();
      const first = iterator.next().catch((error: unknown) => error);
      if (how === "an abort") controller.abort("enough");
      else if (how === "a close") void provider.close();
      else await iterator.return?.();
      checked();
      const outcome = await first;
      const codes = { "an abort": "aborted", "a close": "shut-down", leaving: "aborted" };
      expect(outcome).toMatchObject({ code: codes[how] });
      await new Promise(setImmediate);
      expect(stream).not.toHaveBeenCalled();
    },
  );

  test("no plugin begins its work under a signal that has fired, at whatever turn that is", async () => {
    const json: ChatRequest = { ...ask, responseFormat: { type: "json" } };
    for (const request of [ask, json]) {
      for (let turns = 0; turns < 16; turns += 1) {
        let late = false;
        const { provider, checked } = slow(() => ({
          async *stream(_, { signal } = {}) {
            late = signal?.aborted === true;
            yield start;
          },
        }));
        const controller = new AbortController();
        const first = open(provider, request, controller.signal)[Symbol.asyncIterator]().next();
        checked();
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
        controller.abort("enough");
        await first.catch(() => undefined);
        expect({ turns, late }).toEqual({ turns, late: false });
      }
    }
  });

  test.each(["an abort", "a close"])("%s does the same for calls that answer once", async (how) => {
    const listModels = vi.fn(async () => []);
    const { provider, checked } = slow(() => ({ listModels }));
    const controller = new AbortController();
    const asked = faultOf(Promise.resolve(provider.listModels?.({ signal: controller.signal })));
    if (how === "an abort") controller.abort("enough");
    else void provider.close();
    checked();
    expect(await asked).toMatchObject({ code: how === "an abort" ? "aborted" : "shut-down" });
    expect(listModels).not.toHaveBeenCalled();
  });
});

describe("a plugin that does not listen to its signal", () => {
  const deaf = () => new Promise<never>(() => undefined);

  test("holds back neither the caller who aborts nor the one who closes", async () => {
    const provider = pluginOf(() => ({ loadModel: deaf, describeModel: deaf })).create();
    const load = faultOf(
      Promise.resolve(provider.loadModel?.({ model: "m" }, { signal: AbortSignal.timeout(10) })),
    );
    expect(await load).toMatchObject({ code: "aborted", operation: "load" });
    const describing = faultOf(Promise.resolve(provider.describeModel?.("m")));
    await provider.close();
    expect(await describing).toMatchObject({ code: "shut-down" });
  });
});

describe("reads made before the last one settled", () => {
  test("lose no event and change no order, also when one is made while another is answered", async () => {
    const batches = [[start, ...says("a", "b", "c")], [], says("d"), says("e", "f"), [finish]];
    const iterator = fromBatches(async function* () {
      for (const batch of batches) {
        await Promise.resolve();
        yield batch;
      }
    })[Symbol.asyncIterator]();
    const got: { turn: number; event: ChatEvent }[] = [];
    let turn = 0;
    const read = async (): Promise<void> => {
      const mine = (turn += 1);
      const result = await iterator.next();
      if (result.done === true) return;
      got.push({ turn: mine, event: result.value });
      await Promise.all([read(), read()]);
    };
    await Promise.all([read(), read(), read()]);
    got.sort((one, other) => one.turn - other.turn);
    expect(got.map(({ event }) => event)).toEqual(batches.flat());
  });
});

describe("after the finish", () => {
  const ending = (after: () => Promise<unknown>): Provider =>
    pluginOf(() => ({
      stream: (_, { signal } = {}) =>
        fromBatches(async function* () {
          yield [start, ...says("a"), finish];
          signal?.throwIfAborted();
          await after();
        }),
    })).create();

  test("an abort is a no-op", async () => {
    const controller = new AbortController();
    const seen: string[] = [];
    for await (const event of open(
      ending(async () => undefined),
      ask,
      controller.signal,
    )) {
      seen.push(event.type);
      if (event.type === "finish") controller.abort();
    }
    expect(seen.at(-1)).toBe("finish");
  });

  test("nothing comes, not even a fault", async () => {
    const provider = ending(() => Promise.reject(new Error("reset")));
    expect((await eventsOf(open(provider))).at(-1)).toEqual(finish);
  });

  test("a plugin whose end fails is not told to stop any more", async () => {
    let signal: AbortSignal | undefined;
    const provider = pluginOf(() => ({
      stream: (_, options = {}) => {
        signal = options.signal;
        return streamOf([[start, finish]], new Error("reset"))();
      },
    })).create();
    expect(await eventsOf(open(provider))).toEqual([start, finish]);
    expect(signal?.aborted).toBe(false);
  });

  test("a plugin that goes on talking is not read, and what it holds is let go", async () => {
    let freed = false;
    const provider = pluginOf(() => ({
      stream: () =>
        fromBatches(async function* () {
          try {
            yield [start, finish];
            yield [];
            yield says("more");
          } finally {
            freed = true;
          }
        }),
    })).create();
    expect(await eventsOf(open(provider))).toEqual([start, finish]);
    await vi.waitFor(() => expect(freed).toBe(true));
  });

  test("a backend that does not hang up holds nobody back, and is told to stop", async () => {
    let stopped = false;
    const provider = pluginOf(() => ({
      stream: (_, { signal } = {}) =>
        fromBatches(async function* () {
          yield [start, finish];
          await new Promise((_resolve, reject) => {
            signal?.addEventListener("abort", () => {
              stopped = true;
              reject(new Error("stopped"));
            });
          });
        }),
    })).create();
    expect(await eventsOf(open(provider))).toEqual([start, finish]);
    expect(stopped).toBe(true);
  });
});

describe("a plugin's own end", () => {
  test("is reached when the core refuses its output", async () => {
    let ended = false;
    const provider = pluginOf(
      () => ({
        stream: () =>
          fromBatches(async function* () {
            try {
              yield [start, ...says("no JSON"), finish];
            } finally {
              ended = true;
            }
          }),
      }),
      { features: ["json-schema"] },
    ).create();
    const error = await faultOf(eventsOf(open(provider, { ...ask, responseFormat: { type: "json" } })));
    expect(error).toMatchObject({ code: "output-invalid" });
    await new Promise(setImmediate);
    expect(ended).toBe(true);
  });

  test("that throws is no fault of the one who left, and nothing stays on his signal", async () => {
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, "removeEventListener");
    const provider = pluginOf(() => ({
      stream: () =>
        fromBatches(() => ({
          next: async () => ({ value: [start], done: false }),
          return: () => Promise.reject(new Error("cleaning up failed")),
        })),
    })).create();
    for await (const event of open(provider, ask, signal)) {
      expect(event).toEqual(start);
      break;
    }
    expect(remove).toHaveBeenCalledTimes(1);
  });

  test("by close that throws is an LlmError of that phase", async () => {
    const provider = pluginOf(() => ({ close: () => Promise.reject(new Error("stuck")) })).create();
    expect(await faultOf(provider.close())).toMatchObject({ code: "provider-internal", phase: "close" });
  });
});

test("a pull that ends before it is done is a fault, not a success", async () => {
  const { pullModel } = pluginOf(() => ({
    async *pullModel() {
      yield { status: "downloading" as const, fraction: 0.4 };
    },
  })).create();
  const pulling = async (): Promise<void> => {
    for await (const progress of pullModel?.({ model: "m" }) ?? []) expect(progress.fraction).toBe(0.4);
  };
  await expect(pulling()).rejects.toMatchObject({ code: "stream-interrupted", phase: "pull" });
});

describe("a pull", () => {
  const pull = (make: NonNullable<Provider["pullModel"]>) => {
    const pullModel = pluginOf(() => ({ pullModel: make })).create().pullModel;
    if (pullModel === undefined) throw new Error("no pull");
    return pullModel;
  };

  test("can be left while its next progress is awaited", async () => {
    let stopped = false;
    const pulling = pull(async function* (_, { signal } = {}) {
      yield { status: "resolving" };
      await new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => {
          stopped = true;
          reject(new Error("stopped"));
        });
      });
    })({ model: "m" })[Symbol.asyncIterator]();
    await pulling.next();
    const waiting = pulling.next().catch((error: unknown) => error);
    await new Promise(setImmediate);
    await pulling.return?.();
    expect(stopped).toBe(true);
    expect(await waiting).toEqual({ value: undefined, done: true });
  });

  test("shows a fraction that never falls, within 0 and 1, and 1 at its end", async () => {
    const told = [0.2, 0.5, 0.1, Number.NaN, 7, 0.3];
    const seen: (number | undefined)[] = [];
    for await (const progress of pull(async function* () {
      for (const fraction of told) yield { status: "downloading", fraction };
      yield { status: "done", model: "m" };
    })({ model: "m" }))
      seen.push(progress.fraction);
    expect(seen).toEqual([0.2, 0.5, 0.5, 0.5, 1, 1, 1]);
  });
});

test("dropping old turns shows one start, whatever the plugin yields before it refuses", async () => {
  let attempts = 0;
  const provider = pluginOf(() => ({
    stream: () => {
      attempts += 1;
      const error = new LlmError("context-overflow", "too long");
      return attempts < 3
        ? streamOf([[start], [{ type: "status", status: "prefill" }]], error)()
        : streamOf([[start], [...says("a"), finish]])();
    },
  })).create();
  const turn = [...ask.messages, { role: "assistant", content: "yes" }] as const;
  const request: ChatRequest = {
    ...ask,
    overflow: "drop-oldest",
    messages: [...turn, ...turn, ...turn, ...ask.messages],
  };
  const events = await eventsOf(open(provider, request));
  expect(events.filter((event) => event.type === "start")).toMatchObject([
    { warnings: [{ code: "dropped" }] },
  ]);
  expect(events[0]?.type).toBe("start");
});

test("warnings of the core are told also when the plugin's start is not the first thing read", async () => {
  const provider = pluginOf(() => ({ stream: streamOf([[], [start], [finish]]) })).create();
  const request: ChatRequest = { ...ask, reasoning: "high", unsupported: "warn" };
  const [first] = await eventsOf(open(provider, request));
  expect(first).toMatchObject({ type: "start", warnings: [{ option: "reasoning" }] });
});

test.each<[string, ChatEvent[]]>([
  ["no start", [...says("a"), finish]],
  ["something before its start", [...says("a"), start, finish]],
  ["two starts", [start, start, finish]],
])("a stream with %s is the plugin's fault, and is told", async (_, events) => {
  const provider = pluginOf(() => ({ stream: streamOf([events]) })).create();
  expect(await faultOf(eventsOf(open(provider)))).toMatchObject({
    code: "invalid-response",
    provider: "double",
  });
});

test("batches can be read by two layers, one after the other, without a second call", async () => {
  const stream = vi.fn(streamOf([[start], [finish]]));
  const provider = pluginOf(() => ({ stream })).create();
  const sizes: number[] = [];
  for await (const batch of batchesOf(open(provider))) sizes.push(batch.length);
  expect(sizes).toEqual([1, 1]);
  expect(stream).toHaveBeenCalledTimes(1);
});
