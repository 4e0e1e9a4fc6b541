import type { Call, Calls } from "./calls.ts";
import type { ChatRequest } from "./chat.ts";
import { isLlmError, LlmError, type PartialAnswer } from "./errors.ts";
import type { ChatEvent, ToolCallEvent, Usage, Warning } from "./events.ts";
import { dropOldest } from "./overflow.ts";
import { checkRequest, withoutUndeclared } from "./policy.ts";
import type { CallOptions, Feature, Provider } from "./provider.ts";
import { batchesOf, type EventBatch } from "./stream.ts";

interface StreamHost {
  readonly stream: NonNullable<Provider["stream"]>;
  readonly calls: Calls;
  readonly ready: () => Promise<void>;
  readonly features: readonly Feature[];
}

/** The provider's stream, in batches, with the core's promises around it. */
export function streamWithPolicies(
  host: StreamHost,
  request: ChatRequest,
  options: CallOptions,
): AsyncIterator<EventBatch> {
  let call: Call | undefined;
  let over = false;

  async function* run(): AsyncGenerator<EventBatch> {
    call = host.calls.begin("chat", request.model, options.signal);
    const arrived = createRecord();
    try {
      await host.ready();
      checkRequest(request);
      const { request: allowed, warnings } = withoutUndeclared(request, host.features);
      let attempt = allowed;
      for (;;) {
        try {
          const events = batchesOf(host.stream(attempt, { ...options, signal: call.signal }));
          for await (const batch of events) {
            arrived.add(batch);
            if (arrived.finish !== undefined) checkOutput(request, arrived);
            yield warnings.length === 0 ? batch : withWarnings(batch, warnings);
          }
          break;
        } catch (error) {
          const mayDrop = request.overflow === "drop-oldest" && !arrived.started;
          if (!mayDrop || !isLlmError(error) || error.code !== "context-overflow") throw error;
          attempt = dropOldest(attempt, error, warnings);
        }
      }
      if (arrived.finish === undefined) {
        throw new LlmError("stream-interrupted", "the answer ended without its closing event", {
          phase: "stream",
        });
      }
      over = true;
    } catch (error) {
      over = true;
      throw call.fail(error, { phase: arrived.started ? "stream" : "request", partial: arrived.partial() });
    } finally {
      if (!over) call.leave();
      call.end();
    }
  }

  const batches = run();
  return {
    next: () => batches.next(),
    return() {
      // A read under way would hold the generator back: stop the work first, then leave.
      if (!over) call?.leave();
      return batches.return(undefined);
    },
  };
}

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
