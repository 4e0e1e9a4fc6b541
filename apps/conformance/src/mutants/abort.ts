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
    {},
  ),
  mutant(
    "M02",
    "rejects when it is aborted, and leaves the connection open",
    inside(({ stream }) => ({
      stream: (request, options) => rejecting(stream(request, withoutSignal(options)), options?.signal),
    })),
    {},
  ),
  mutant(
    "M03",
    "takes the signal as an argument, and hands it to nobody",
    inside(({ stream }) => ({ stream: (request, options) => stream(request, withoutSignal(options)) })),
    {},
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
    {},
  ),
  mutant(
    "M05",
    "goes on when its reader has left the loop",
    outside(({ stream }) => ({ stream: (request, options) => withoutReturn(stream(request, options)) })),
    {},
  ),
  mutant(
    "M06",
    "ends an aborted answer as if it were whole",
    outside(({ stream }) => ({ stream: cleanly(stream) })),
    {},
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
    {},
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
    {},
  ),
  mutant(
    "M81",
    "loads on when nobody wants the model any more",
    inside(({ loadModel }) => ({
      loadModel: (request, options) => loadModel(request, withoutSignal(options)),
    })),
    {},
  ),
  mutant(
    "M82",
    "computes vectors to the end when nobody wants them any more",
    inside(({ embed }) => ({ embed: (request, options) => embed(request, withoutSignal(options)) })),
    {},
  ),
  mutant(
    "M83",
    "downloads on when nobody wants the model any more",
    inside(({ pullModel }) => ({
      pullModel: (request, options) => pullModel(request, withoutSignal(options)),
    })),
    {},
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
    {},
  ),
];
