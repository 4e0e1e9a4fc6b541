import { type Call, type Calls, GRACE, modelOf, settledWithin } from "./calls.ts";
import type { ChatRequest } from "./chat.ts";
import { isLlmError, LlmError, toLlmError, withPartial } from "./errors.ts";
import type { ChatEvent, Warning } from "./events.ts";
import { checkOutput, readOutputSchema, type ValueCheck } from "./output.ts";
import { droppedWarning, dropOldest } from "./overflow.ts";
import { checkRequest, withoutUndeclared } from "./policy.ts";
import type { CallOptions, Feature, Provider } from "./provider.ts";
import { createRecord } from "./record.ts";
import {
  batchesOf,
  type BatchRead,
  type BatchSource,
  type EventBatch,
  type Pullable,
  pullOf,
} from "./stream.ts";

interface StreamHost {
  readonly name: string;
  readonly stream: NonNullable<Provider["stream"]>;
  readonly calls: Calls;
  readonly ready: () => Promise<void>;
  readonly features: readonly Feature[];
}

/** The provider's stream, in batches, with the core's promises around it. It stands in every stream's path. */
export function streamWithPolicies(
  host: StreamHost,
  request: ChatRequest,
  options: CallOptions,
): BatchSource {
  let holdsStart = false;
  let arrived = createRecord();
  let held: ChatEvent[] = [];
  let warnings: Warning[] = [];
  let dropped = 0;
  let wantsJson = false;
  let check: ValueCheck | undefined;
  let attempt = request;
  let call: Call | undefined;
  let source: Pullable<EventBatch> | undefined;
  let over = false;
  let left = false;

  const end = (): void => {
    over = true;
    call?.end();
  };

  const fail = (error: unknown): never => {
    const partial = arrived.partial(error);
    const known = { phase: arrived.started ? "stream" : "request", partial } as const;
    const fault = call === undefined ? toLlmError(error, "invalid-request", known) : call.fail(error, known);
    end();
    throw withPartial(fault, partial);
  };

  /** The plugin is at fault or has nothing more to say: it is told to stop, and waited for by nobody. */
  const dismiss = (): void => {
    call?.leave();
    source?.return?.().catch(() => undefined);
  };

  const open = (signal: AbortSignal): Pullable<EventBatch> =>
    batchesOf(host.stream(attempt, { ...options, signal }))[Symbol.asyncIterator]();

  const onRead = (read: IteratorResult<EventBatch>): BatchRead => {
    if (read.done === true) {
      if (over) return END;
      if (arrived.finish !== undefined) {
        end();
        return END;
      }
      const says = "the answer ended without its closing event";
      return fail(new LlmError("stream-interrupted", says, { phase: "stream" }));
    }
    if (over) return END;
    let batch: EventBatch = read.value;
    try {
      batch = arrived.add(batch);
      if (arrived.finish !== undefined && wantsJson && arrived.calls.length === 0)
        checkOutput(arrived.text(), arrived.finish.reason, check);
    } catch (error) {
      dismissed(error);
    }
    if (holdsStart && !arrived.started) {
      held.push(...batch);
      return NOTHING;
    }
    if (held.length > 0) {
      batch = [...held, ...batch];
      held = [];
    }
    if ((warnings.length > 0 || dropped > 0) && batch.length > 0) {
      batch = withWarnings(batch, dropped === 0 ? warnings : [...warnings, droppedWarning(dropped)]);
      warnings = [];
      dropped = 0;
    }
    return batch === read.value ? (read as BatchRead) : { value: batch, done: false };
  };

  const dismissed = (error: unknown): never => {
    dismiss();
    return fail(error);
  };

  const onFault = async (error: unknown): Promise<BatchRead> => {
    if (left) {
      const says = "the stream was left by its reader";
      throw new LlmError("aborted", says, { provider: host.name, operation: "chat", cause: error });
    }
    // `first` and `onRead` have given it its final form already.
    if (over) throw error;
    const mayDrop = holdsStart && !arrived.started;
    if (call === undefined || !mayDrop || !isLlmError(error) || error.code !== "context-overflow")
      return fail(error);
    try {
      call.signal.throwIfAborted();
      const shorter = dropOldest(attempt, error);
      attempt = shorter.request;
      dropped += shorter.dropped;
      arrived = createRecord();
      held = [];
      source = open(call.signal);
    } catch (last) {
      return fail(last);
    }
    return source.next().then(onRead, onFault);
  };

  const first = async (): Promise<IteratorResult<EventBatch>> => {
    try {
      call = host.calls.begin("chat", modelOf(request), options.signal);
      await host.ready();
      // The caller may have aborted, left or closed meanwhile: then the plugin is not called at all.
      call.signal.throwIfAborted();
      checkRequest(request, options.timeouts);
      holdsStart = request.overflow === "drop-oldest";
      ({ request: attempt, warnings } = withoutUndeclared(request, host.features));
      wantsJson = attempt.responseFormat?.type === "json";
      if (wantsJson) {
        check = await readOutputSchema(attempt, warnings);
        call.signal.throwIfAborted();
      }
      source = open(call.signal);
    } catch (error) {
      return fail(error);
    }
    return source.next();
  };

  /** After the finish nothing comes: neither a fault nor an abort takes back a whole answer. */
  const last = async (from: Pullable<EventBatch>): Promise<typeof END> => {
    const read = from.next();
    const ended = await settledWithin(GRACE, read);
    // What still has something to say, or does not come to its end, is told to stop.
    if (!ended || (await read.catch(() => END)).done !== true) dismiss();
    end();
    return END;
  };

  const next = (): Promise<IteratorResult<EventBatch>> => {
    if (over) return Promise.resolve(END);
    if (source === undefined) return first();
    return arrived.finish === undefined ? source.next() : last(source);
  };

  return {
    onRead,
    onFault,
    next,
    pull(reader) {
      if (over || source === undefined || arrived.finish !== undefined)
        next().then(reader.onRead, reader.onFault);
      else pullOf(source)(reader);
    },
    async return() {
      // A read under way would hold the source back: stop the work first, then leave.
      if (!over) call?.leave();
      over = true;
      left = true;
      try {
        await source?.return?.();
      } catch {
        // The work was cut off, so that its end may fail: that is not the business of the one who left.
      } finally {
        end();
      }
    },
  };
}

const END = { value: undefined, done: true } as const;
const NOTHING: BatchRead = { value: [], done: false };

function withWarnings(batch: EventBatch, warnings: readonly Warning[]): EventBatch {
  const [start, ...rest] = batch;
  if (start?.type !== "start") return batch;
  return [{ ...start, warnings: [...warnings, ...start.warnings] }, ...rest];
}
