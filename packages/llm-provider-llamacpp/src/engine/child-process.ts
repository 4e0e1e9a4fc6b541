import { LlmError } from "@enginehouse/llm-core";

import type { Asks, ChatJob, Engine, EngineEvent, EngineOptions, ToChild } from "../wire.ts";
import { type BatchQueue, createBatchQueue } from "./batches.ts";
import { type Call, type Child, end, launch } from "./child.ts";

const IDLE_REPLIES: { readonly [K in keyof Asks]?: () => Asks[K]["reply"] } = {
  loaded: () => [],
  unload: () => undefined,
};

/** How long a process without a model waits for the next one, in milliseconds: to start another takes half a second. */
const LINGER = 10_000;

/** Only data travels between processes: a function or a promise in a request is no part of any. */
function unsendable(cause: unknown): LlmError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new LlmError("invalid-request", `the request holds something that is not data: ${why}`, {
    hint: "send only what JSON can say",
    cause,
  });
}

/**
 * The engine in a process of its own. A model file that makes the native code abort ends that process only: the
 * calls in it fail, each with what it means for them, and the next call starts a new one.
 */
export function createChildEngine(options: EngineOptions, linger: number = LINGER): Engine {
  let child: Promise<Child> | undefined;
  let nextCall = 1;
  let closing: Promise<void> | undefined;

  const start = (): Promise<Child> => {
    if (child !== undefined) return child;
    const forget = (): void => {
      if (child === started) child = undefined;
    };
    const started = launch(options, linger, forget);
    started.catch(forget);
    child = started;
    return started;
  };

  /** An application that waits for an answer stays alive, one that only keeps a model loaded can exit. */
  function hold({ process: child, calls }: Child): void {
    if (calls.size > 0) {
      child.ref();
      child.channel?.ref();
    } else {
      child.unref();
      child.channel?.unref();
    }
  }

  async function begin(call: Call, first: (id: number) => ToChild, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (closing !== undefined) throw new LlmError("shut-down", "the engine was closed");
    const running = await start();
    signal.throwIfAborted();
    const id = nextCall++;
    const send = (message: ToChild): void => {
      // A child that has gone says so itself, by its exit.
      if (running.process.connected) running.process.send(message, () => undefined);
    };
    const finish = (): void => {
      running.calls.delete(id);
      signal.removeEventListener("abort", stop);
      hold(running);
    };
    const stop = (): void => {
      send({ type: "stop", call: id });
      finish();
      call.fail(signal.reason);
    };
    clearTimeout(running.leaving);
    running.calls.set(id, {
      ...call,
      fail(error) {
        finish();
        call.fail(error);
      },
      onReply(reply) {
        finish();
        call.onReply(reply);
      },
    });
    hold(running);
    signal.addEventListener("abort", stop, { once: true });
    running.lastCall = id;
    try {
      send(first(id));
    } catch (cause) {
      finish();
      throw unsendable(cause);
    }
    return () => send({ type: "more", call: id });
  }

  return {
    chat(job: ChatJob, signal: AbortSignal) {
      const leave = new AbortController();
      const all = AbortSignal.any([signal, leave.signal]);
      const queue: BatchQueue<EngineEvent> = createBatchQueue(Number.POSITIVE_INFINITY);
      let more: Promise<() => void> | undefined;
      const begun = (): Promise<() => void> =>
        (more ??= begin(
          {
            phase: "request",
            fail: (error) => queue.end(error),
            onEvents: (events) => {
              for (const event of events) queue.push(event);
            },
            onReply: () => queue.end(),
          },
          (call) => ({ type: "chat", call, job }),
          all,
        ));
      let reads = 0;
      return {
        async next() {
          const askForMore = await begun();
          if (reads > 0) askForMore();
          reads += 1;
          const batch = await queue.take();
          return batch === undefined ? { value: undefined, done: true } : { value: batch, done: false };
        },
        async return() {
          leave.abort();
          queue.end();
          return { value: undefined, done: true };
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
    ask(op, job, signal, onEvent) {
      // Without a process there is nothing loaded, and no need to start one to be told so.
      const idle = IDLE_REPLIES[op];
      if (child === undefined && idle !== undefined) return Promise.resolve(idle() as never);
      return new Promise((resolve, reject) => {
        const call: Call = {
          phase: op === "load" ? "load" : "request",
          fail: reject,
          ...(onEvent !== undefined && {
            onEvents: (events: readonly EngineEvent[]) => events.forEach(onEvent),
          }),
          onReply: (reply) => resolve(reply as never),
        };
        begin(call, (id) => ({ type: "ask", call: id, op, job }), signal).catch(reject);
      });
    },
    close() {
      return (closing ??= (async () => {
        const running = await child?.catch(() => undefined);
        if (running === undefined) return;
        for (const call of running.calls.values())
          call.fail(new LlmError("shut-down", "the engine was closed"));
        await end(running);
      })());
    },
  };
}
