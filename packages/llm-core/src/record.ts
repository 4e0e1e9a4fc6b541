import { isLlmError, LlmError, type PartialAnswer } from "./errors.ts";
import type { ChatEvent, FinishEvent, ToolCallEvent, Usage } from "./events.ts";
import type { EventBatch } from "./stream.ts";

/** What a stream has said so far, by reference: joined only when somebody asks. Of one instance kept, see stream.ts. */
export class Arrived {
  static readonly kept = new Arrived();
  /** Whether anything beyond `start` and `status` was seen. */
  started = false;
  finish: FinishEvent | undefined;
  readonly calls: ToolCallEvent[] = [];
  /** Begins with a text: an empty array is made for numbers, and becomes another kind of array at its first text. */
  private readonly deltas: string[] = [""];
  private readonly reasoning: string[] = [];
  private usage: Usage | undefined;
  private began = false;

  /** Takes the batch in, and gives what of it belongs to the answer. Throws where it breaks the order of events. */
  add(batch: EventBatch): EventBatch {
    // By index: it runs for every token, and mostly before the engine has optimised it.
    for (let index = 0; index < batch.length; index += 1) {
      const event = batch[index] as ChatEvent;
      const { type } = event;
      if (this.began === (type === "start")) throw outOfOrder(type);
      this.began = true;
      if (type === "text-delta") this.deltas.push(event.text);
      else if (type === "reasoning-delta") this.reasoning.push(event.text);
      else if (type === "tool-call") this.calls.push(event);
      else if (type === "finish") {
        assertWhole(event);
        this.started = true;
        this.finish = event;
        this.usage = event.usage;
        return index === batch.length - 1 ? batch : batch.slice(0, index + 1);
      }
      if (type !== "start" && type !== "status") this.started = true;
    }
    return batch;
  }

  /** Takes in a batch that is one piece of text, as a model sends it; any other is for `add`. */
  addText(batch: EventBatch | undefined): boolean {
    if (batch?.length !== 1) return false;
    const { 0: event } = batch;
    if (event?.type !== "text-delta") return false;
    this.deltas.push(event.text);
    return true;
  }

  text(): string {
    return this.deltas.join("");
  }

  /** With what the fault itself tells of it: the counts, or more than was handed on. */
  partial(fault: unknown): PartialAnswer | undefined {
    const told = isLlmError(fault) ? fault.partial : undefined;
    if (!this.started) return told;
    const { usage } = this;
    const own = { text: this.text(), reasoning: this.reasoning.join(""), toolCalls: [...this.calls], usage };
    if (told === undefined) return own;
    return { ...(sizeOf(told) > sizeOf(own) ? told : own), usage: usage ?? told.usage };
  }
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

const sizeOf = ({ text, reasoning, toolCalls }: PartialAnswer): number =>
  text.length + reasoning.length + toolCalls.length;
