import type { Call, Calls } from "./calls.ts";
import type { ChatRequest } from "./chat.ts";
import { isLlmError, LlmError, type PartialAnswer } from "./errors.ts";
import type { ChatEvent, ToolCallEvent, Usage, Warning } from "./events.ts";
import { dropOldest } from "./overflow.ts";
import { checkRequest, withoutUndeclared } from "./policy.ts";
import type { CallOptions, Feature, Provider } from "./provider.ts";
import { batchesOf, type BatchRead, type BatchSource, type EventBatch } from "./stream.ts";

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
  const arrived = createRecord();
  let warnings: Warning[] = [];
  let attempt = request;
  let call: Call | undefined;
  let source: AsyncIterator<EventBatch> | undefined;
  let over = false;
  let left = false;

  const end = (): void => {
    over = true;
    call?.end();
  };

  const fail = (error: unknown): never => {
    const known = { phase: arrived.started ? "stream" : "request", partial: arrived.partial() } as const;
    const fault = call === undefined ? error : call.fail(error, known);
    end();
    throw fault;
  };

  const open = (signal: AbortSignal): AsyncIterator<EventBatch> =>
    batchesOf(host.stream(attempt, { ...options, signal }))[Symbol.asyncIterator]();

  const onRead = (read: IteratorResult<EventBatch>): BatchRead => {
    if (read.done === true) {
      if (over) return END;
      if (arrived.finish === undefined) {
        const says = "the answer ended without its closing event";
        return fail(new LlmError("stream-interrupted", says, { phase: "stream" }));
      }
      end();
      return END;
    }
    arrived.add(read.value);
    if (arrived.finish !== undefined) {
      try {
        checkOutput(request, arrived);
      } catch (error) {
        call?.leave();
        return fail(error);
      }
    }
    return warnings.length === 0 ? read : { value: withWarnings(read.value, warnings), done: false };
  };

  const onFault = async (error: unknown): Promise<BatchRead> => {
    if (left) {
      const says = "the stream was left by its reader";
      throw new LlmError("aborted", says, { provider: host.name, operation: "chat", cause: error });
    }
    // `first` and `onRead` have given it its final form already.
    if (over) throw error;
    const mayDrop = request.overflow === "drop-oldest" && !arrived.started;
    if (call === undefined || !mayDrop || !isLlmError(error) || error.code !== "context-overflow")
      return fail(error);
    try {
      attempt = dropOldest(attempt, error, warnings);
      source = open(call.signal);
    } catch (last) {
      return fail(last);
    }
    return source.next().then(onRead, onFault);
  };

  const first = async (): Promise<IteratorResult<EventBatch>> => {
    try {
      call = host.calls.begin("chat", request.model, options.signal);
      await host.ready();
      checkRequest(request);
      ({ request: attempt, warnings } = withoutUndeclared(request, host.features));
      source = open(call.signal);
    } catch (error) {
      return fail(error);
    }
    return source.next();
  };

  return {
    onRead,
    onFault,
    next() {
      if (over) return Promise.resolve(END);
      return source === undefined ? first() : source.next();
    },
    async return() {
      // A read under way would hold the source back: stop the work first, then leave.
      if (!over) call?.leave();
      over = true;
      left = true;
      await source?.return?.();
      end();
    },
  };
}

const END = { value: undefined, done: true } as const;

interface Record {
  add(batch: EventBatch): void;
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
  const record = {
    started: false,
    finish: undefined as (ChatEvent & { type: "finish" }) | undefined,
    calls,
    text: () => text.join(""),
    add(batch: EventBatch) {
      for (const event of batch) {
        const { type } = event;
        if (type === "text-delta") text.push(event.text);
        else if (type === "reasoning-delta") reasoning.push(event.text);
        else if (type === "tool-call") calls.push(event);
        else if (type === "finish") {
          record.finish = event;
          usage = event.usage;
        }
        if (type !== "start" && type !== "status") record.started = true;
      }
    },
    partial(): PartialAnswer | undefined {
      if (!record.started) return undefined;
      return { text: text.join(""), reasoning: reasoning.join(""), toolCalls: [...calls], usage };
    },
  };
  return record;
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
  if (batch[0]?.type !== "start") return batch;
  const [start, ...rest] = batch;
  return [{ ...start, warnings: [...warnings, ...start.warnings] }, ...rest];
}
