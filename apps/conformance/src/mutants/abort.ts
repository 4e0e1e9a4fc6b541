import { type CallOptions, type ChatEvent, type ChatRequest, LlmError } from "@enginehouse/llm-core";

import { PARTS } from "../reference/parts.ts";
import { inside, isCode, mutant, outside, part } from "./making.ts";
import type { Mutant } from "./mutant.ts";

type Events = AsyncIterable<ChatEvent>;
type Stream = (request: ChatRequest, options?: CallOptions) => Events;

const withoutSignal = (options: CallOptions = {}): CallOptions => ({ ...options, signal: undefined });

/** Rejects with the signal's reason, and leaves the work to itself. */
async function* rejecting(source: Events, signal: AbortSignal | undefined): Events {
  const iterator = source[Symbol.asyncIterator]();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = (): void => reject(signal?.reason as Error);
  });
  aborted.catch(() => undefined);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const read = await Promise.race([iterator.next(), aborted]);
      if (read.done === true) return;
      yield read.value;
    }
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** The iterator alone: whoever leaves it leaves it running. */
const withoutReturn = (source: Events): Events => {
  const iterator = source[Symbol.asyncIterator]();
  return { [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) };
};

const cleanly = (stream: Stream): Stream =>
  async function* (request, options) {
    try {
      yield* stream(request, options);
    } catch (error) {
      if (!isCode(error, "aborted")) throw error;
    }
  };

const late = new Set<AbortSignal>();

export const ABORT_MUTANTS: readonly Mutant[] = [
  mutant(
    "M01",
    "takes no notice of the signal",
    outside(({ stream }) => ({ stream: (request, options) => stream(request, withoutSignal(options)) })),
    {
      A01: /expected aborted, but the stream ended without an error after/,
      A02: /waited 250 ms for the call to end after its abort/,
      A03: /waited 250 ms for the call to end after its abort/,
      A05: /waited 250 ms for the call to end after its abort/,
      A06: /waited 250 ms for the call to end after its abort/,
      K07: /waited 3000 ms for two running calls and one in the queue/,
    },
  ),
  mutant(
    "M02",
    "rejects when it is aborted, and leaves the connection open",
    inside(({ stream }) => ({
      stream: (request, options) => rejecting(stream(request, withoutSignal(options)), options?.signal),
    })),
    {
      A02: /waited 500 ms for: the chat to be stopped at the backend: its/,
      A03: /waited 500 ms for: the chat to be stopped at the backend: its/,
      A04: /waited 500 ms for: the chat to be stopped at the backend: its/,
      K07: /waited 3000 ms for a call after 3 that were aborted/,
    },
  ),
  mutant(
    "M03",
    "takes the signal as an argument, and hands it to nobody",
    inside(({ stream }) => ({ stream: (request, options) => stream(request, withoutSignal(options)) })),
    {
      A02: /waited 250 ms for the call to end after its abort/,
      A03: /waited 250 ms for the call to end after its abort/,
      A05: /waited 250 ms for the call to end after its abort/,
      A06: /waited 250 ms for the call to end after its abort/,
      K07: /waited 3000 ms for/,
    },
  ),
  mutant(
    "M04",
    "aborts everything with one call",
    part({
      createConnections() {
        const connections = PARTS.createConnections();
        return {
          ...connections,
          send(call, clock) {
            clock.signal.addEventListener("abort", () => connections.close(), { once: true });
            return connections.send(call, clock);
          },
        };
      },
    }),
    { A06: /one of two calls was aborted, and the other failed: LlmError:/ },
  ),
  mutant(
    "M05",
    "goes on when its reader has left the loop",
    outside(({ stream }) => ({ stream: (request, options) => withoutReturn(stream(request, options)) })),
    { A04: /waited 500 ms for: the chat to be stopped at the backend: its/ },
  ),
  mutant(
    "M06",
    "ends an aborted answer as if it were whole",
    outside(({ stream }) => ({ stream: cleanly(stream) })),
    {
      A01: /expected aborted, but the stream ended without an error after/,
      A02: /expected aborted, but the call ended as if nothing had happened/,
      A03: /expected aborted, but the call ended as if nothing had happened/,
      A05: /expected aborted, but the call ended as if nothing had happened/,
      A06: /expected aborted, but the call ended as if nothing had happened/,
      K07: /three calls were aborted, and ended as/,
    },
  ),
  mutant(
    "M79",
    "tells neither why it was aborted nor what had arrived",
    outside(({ stream }) => ({
      async *stream(request, options) {
        try {
          yield* stream(request, options);
        } catch (error) {
          if (isCode(error, "aborted")) throw new LlmError("aborted", "aborted");
          throw error;
        }
      },
    })),
    { A05: /the cause is not the reason of the abort: undefined/ },
  ),
  mutant(
    "M80",
    "still listens to the signal when the answer is whole",
    outside(({ stream }) => {
      let broken = false;
      return {
        async *stream(request, options) {
          if (broken) throw new LlmError("aborted", "the call was aborted");
          yield* stream(request, options);
          if (options?.signal === undefined) return;
          const follower = AbortSignal.any([options.signal]);
          late.add(follower);
          follower.addEventListener("abort", () => (broken = true));
        },
      };
    }),
    { A07: /the call after a late abort failed: AssertionError/ },
  ),
  mutant(
    "M81",
    "loads on when nobody wants the model any more",
    inside(({ loadModel }) => ({
      loadModel: (request, options) => loadModel(request, withoutSignal(options)),
    })),
    { A08: /waited 500 ms for: the load to be stopped at the backend: its/ },
  ),
  mutant(
    "M82",
    "computes vectors to the end when nobody wants them any more",
    inside(({ embed }) => ({ embed: (request, options) => embed(request, withoutSignal(options)) })),
    { A09: /waited 500 ms for: the embed to be stopped at the backend: its/ },
  ),
  mutant(
    "M83",
    "downloads on when nobody wants the model any more",
    inside(({ pullModel }) => ({
      pullModel: (request, options) => pullModel(request, withoutSignal(options)),
    })),
    { A11: /waited 250 ms for the call to end after its abort/ },
  ),
  mutant(
    "M41",
    "leaves a listener on the signal with every call",
    outside(({ stream }) => ({
      stream(request, options) {
        options?.signal?.addEventListener("abort", () => undefined);
        return stream(request, options);
      },
    })),
    {
      A01: /1 listener\(s\) are left on the signal that stream was given/,
      A02: /1 listener\(s\) are left on the signal that stream was given/,
      A03: /1 listener\(s\) are left on the signal that stream was given/,
      A05: /1 listener\(s\) are left on the signal that stream was given/,
      A06: /1 listener\(s\) are left on the signal that stream was given/,
      A07: /1 listener\(s\) are left on the signal that stream was given/,
      A10: /after \d+ calls \d+ listeners are on the signal/,
      F12: /1 listener\(s\) are left on the signal that stream was given/,
      K07: /listener\(s\) are left on the signal/,
    },
  ),
];
