import { type Call, type Calls, GRACE, modelOf, settledWithin } from "./calls.ts";
import type { ChatRequest } from "./chat.ts";
import { isLlmError, LlmError, type PartialAnswer, toLlmError } from "./errors.ts";
import type { ChatEvent, FinishEvent, ToolCallEvent, Usage, Warning } from "./events.ts";
import { droppedWarning, dropOldest } from "./overflow.ts";
import { checkRequest, withoutUndeclared } from "./policy.ts";
import type { CallOptions, Feature, Provider } from "./provider.ts";
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
    const known = { phase: arrived.started ? "stream" : "request", partial: arrived.partial() } as const;
    const fault = call === undefined ? toLlmError(error, "invalid-request", known) : call.fail(error, known);
    end();
    throw fault;
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
      if (arrived.finish !== undefined) checkOutput(attempt, arrived);
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
      source = open(call.signal);
    } catch (error) {
      return fail(error);
    }
    return source.next();
  };

  /** After the finish nothing comes: neither a fault nor an abort takes back a whole answer. */
  const last = async (from: Pullable<EventBatch>): Promise<typeof END> => {
    const ended = await settledWithin(GRACE, from.next());
    if (!ended) dismiss();
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

interface Record {
  /** Takes the batch in, and gives what of it belongs to the answer. Throws where it breaks the order of events. */
  add(batch: EventBatch): EventBatch;
  /** Whether anything beyond `start` and `status` was seen. */
  readonly started: boolean;
  readonly finish: (ChatEvent & { type: "finish" }) | undefined;
  text(): string;
  readonly calls: readonly ToolCallEvent[];
  partial(): PartialAnswer | undefined;
}

/** Keeps what arrived, by reference: joined only when somebody asks. */
function createRecord(): Record {
  const text: string[] = [];
  const reasoning: string[] = [];
  const calls: ToolCallEvent[] = [];
  let usage: Usage | undefined;
  let began = false;
  const record = {
    started: false,
    finish: undefined as (ChatEvent & { type: "finish" }) | undefined,
    calls,
    text: () => text.join(""),
    add(batch: EventBatch): EventBatch {
      // By index: it runs for every token, and mostly before the engine has optimised it.
      for (let index = 0; index < batch.length; index += 1) {
        const event = batch[index] as ChatEvent;
        const { type } = event;
        if (began === (type === "start")) throw outOfOrder(type);
        began = true;
        if (type === "text-delta") text.push(event.text);
        else if (type === "reasoning-delta") reasoning.push(event.text);
        else if (type === "tool-call") calls.push(event);
        else if (type === "finish") {
          assertWhole(event);
          record.started = true;
          record.finish = event;
          usage = event.usage;
          return index === batch.length - 1 ? batch : batch.slice(0, index + 1);
        }
        if (type !== "start" && type !== "status") record.started = true;
      }
      return batch;
    },
    partial(): PartialAnswer | undefined {
      if (!record.started) return undefined;
      return { text: text.join(""), reasoning: reasoning.join(""), toolCalls: [...calls], usage };
    },
  };
  return record;
}

function outOfOrder(type: ChatEvent["type"]): LlmError {
  const says = type === "start" ? "a second start" : `"${type}" before the start`;
  return new LlmError("invalid-response", `the provider's stream had ${says}`, {
    hint: "report it to the author of the provider's package",
  });
}

/** A closing event from plain JavaScript may lack what every reader of it counts on. */
function assertWhole(finish: Partial<FinishEvent>): void {
  const { reason, usage, context } = finish;
  const missing = typeof reason?.unified === "string" ? [] : ["reason"];
  if (typeof usage !== "object") missing.push("usage");
  if (typeof context !== "object") missing.push("context");
  if (missing.length === 0) return;
  throw new LlmError("invalid-response", `the provider's finish had no ${missing.join(", no ")}`, {
    hint: "report it to the author of the provider's package",
  });
}

/** Output that was asked for as JSON and is none is a fault, never an answer. */
function checkOutput(request: ChatRequest, arrived: Record): void {
  if (request.responseFormat?.type !== "json" || arrived.calls.length > 0) return;
  const cut = arrived.finish?.reason.unified === "length";
  try {
    JSON.parse(arrived.text());
  } catch (cause) {
    throw new LlmError(
      "output-invalid",
      cut ? "the JSON was cut by the output limit" : "the output is not JSON",
      {
        hint: cut ? "raise maxTokens, or ask for a smaller object" : undefined,
        retryable: !cut,
        cause,
      },
    );
  }
}

function withWarnings(batch: EventBatch, warnings: readonly Warning[]): EventBatch {
  const [start, ...rest] = batch;
  if (start?.type !== "start") return batch;
  return [{ ...start, warnings: [...warnings, ...start.warnings] }, ...rest];
}
