import { type Call, type Calls, GRACE, heeding, modelOf, settledWithin } from "./calls.ts";
import { LlmError } from "./errors.ts";
import type { PullProgress, PullRequest } from "./model.ts";
import { checkNamed } from "./named.ts";
import type { CallOptions, Provider } from "./provider.ts";

interface PullHost {
  readonly pullModel: NonNullable<Provider["pullModel"]>;
  readonly calls: Calls;
  readonly ready: () => Promise<void> | undefined;
}

/** The provider's pull with the core's promises around it: one fraction that never falls, 1 when it is done. */
export function pullWithPromises(
  { pullModel, calls, ready }: PullHost,
  request: PullRequest,
  options: CallOptions,
): AsyncIterable<PullProgress> {
  let call: Call | undefined;
  let source: AsyncIterator<PullProgress> | undefined;
  let fraction: number | undefined;
  let finished = false;
  let over = false;
  let reading = false;

  const end = (): void => {
    over = true;
    call?.end();
  };

  const read = async (): Promise<IteratorResult<PullProgress, undefined>> => {
    if (over) return END;
    try {
      call ??= calls.begin("pull", modelOf(request), options.signal);
      if (source === undefined) {
        await ready();
        checkNamed(request);
        call.signal.throwIfAborted();
        source = pullModel(request, { ...options, signal: call.signal })[Symbol.asyncIterator]();
      }
      reading = true;
      const { value, done } = await heeding(call.signal, source.next());
      if (over) return END;
      if (done === true) {
        if (!finished) throw new LlmError("stream-interrupted", "the download ended before it was done");
        end();
        return END;
      }
      const progress = value as PullProgress;
      finished ||= progress.status === "done";
      fraction = progress.status === "done" ? 1 : furthest(fraction, progress.fraction);
      return { value: { ...progress, fraction }, done: false };
    } catch (error) {
      if (over) return END;
      const fault = call === undefined ? error : call.fail(error, { phase: "pull" });
      end();
      throw fault;
    } finally {
      reading = false;
    }
  };

  const leave = async (): Promise<void> => {
    try {
      await source?.return?.();
    } catch {
      // Its work was cut off, so that its end may fail.
    }
  };

  let latest: Promise<unknown> = Promise.resolve();
  const iterator: AsyncIterator<PullProgress, undefined> = {
    next() {
      const mine = latest.then(read, read);
      latest = mine;
      return mine;
    },
    async return() {
      // A read under way would hold the source back: stop the work first, then leave.
      if (!over) call?.leave();
      end();
      if (reading) await settledWithin(GRACE, leave());
      else await leave();
      return END;
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

const END = { value: undefined, done: true } as const;

function furthest(before: number | undefined, told: number | undefined): number | undefined {
  if (told === undefined || Number.isNaN(told)) return before;
  return Math.max(before ?? 0, Math.min(1, Math.max(0, told)));
}
