import { type ChatRequest, LlmError, type Warning } from "@enginehouse/llm-core";
import { createThinkTags, type EventDecoder, type SseEvent } from "@enginehouse/llm-wire";

import { createAlikeChunks } from "./alike.ts";
import { createAnswer } from "./answer.ts";
import { errorIn, faultOfError } from "./errors.ts";
import type { Quirks } from "./quirks.ts";
import type { ToolNames } from "./tool-names.ts";
import { decodeReason, decodeTimings, decodeUsage, numberIn } from "./usage.ts";
import { isRecord, type WireChunk, type WireDelta } from "./wire.ts";

export interface DecoderOptions {
  readonly request: ChatRequest;
  readonly quirks: Quirks;
  readonly names: ToolNames;
  readonly warnings: readonly Warning[];
}

export type AnswerDecoder = Required<EventDecoder<SseEvent>>;

/** Reads the stream of `/chat/completions`. */
export function createChatDecoder(options: DecoderOptions): AnswerDecoder {
  const { request, quirks } = options;
  const answer = createAnswer({ ...options, refusesOverflow: quirks.refusesOverflow });
  const raw = request.includeRaw === true;
  const alike = createAlikeChunks();
  const tags =
    quirks.thinkTags === false
      ? undefined
      : createThinkTags({
          text: answer.text,
          reasoning: answer.reasoning,
          opened: quirks.thinkTags === "opened",
        });
  /** The server's word for the end. Usage may come after it. */
  let reason: string | undefined;
  let refused = false;
  let usageTold = false;

  const addText = (text: string): void => (tags === undefined ? answer.text(text) : tags.add(text));

  const take = ({ data, event }: SseEvent): void => {
    if (answer.finished) return;
    const text = raw ? undefined : alike.textOf(data);
    if (text !== undefined) return addText(text);
    if (data.startsWith("[DONE]")) return end(quirks.doneEnds);
    const chunk = parse(data);
    if (raw) answer.emit({ type: "raw", value: chunk });
    if (isRecord(chunk)) takeChunk(chunk, data, event);
  };

  const takeChunk = (
    chunk: WireChunk & Readonly<Record<string, unknown>>,
    data: string,
    event: string,
  ): void => {
    const error = errorIn(chunk, event);
    if (error !== undefined) throw faultOfError(error, { operation: "chat" });
    const choices = Array.isArray(chunk.choices) ? (chunk.choices as WireChunk["choices"]) : undefined;
    takeFigures(chunk);
    // Answers that were not asked for may stand before the one that was.
    const choice = choices?.find((one) => isRecord(one) && Number(one["index"] ?? 0) === 0);
    if (choice === undefined || choice === null) return;
    const broken = errorIn({ error: choice.error });
    if (broken !== undefined) throw faultOfError(broken, { operation: "chat" });
    const delta = choice.delta ?? choice.message;
    const plain = delta !== undefined && delta !== null && takeDelta(delta);
    const ending = choice.finish_reason;
    if (typeof ending === "string" && ending !== "") {
      if (ending === "error")
        throw faultOfError({ message: "the server ended its answer with an error" }, { operation: "chat" });
      reason = ending;
    } else if (plain && choices?.length === 1 && (chunk.usage ?? chunk.timings) === undefined) {
      alike.learn(data, delta.content as string);
    }
  };

  const takeFigures = (chunk: WireChunk): void => {
    const told = chunk.usage ?? (isRecord(chunk.x_groq) ? chunk.x_groq["usage"] : undefined);
    const usage = decodeUsage(told);
    if (usage !== undefined) {
      answer.addUsage(usage);
      usageTold = true;
    }
    if (isRecord(chunk.timings)) {
      const { timings, usage: counted } = decodeTimings(chunk.timings);
      answer.timings(timings);
      if (!usageTold && counted !== undefined) answer.addUsage(counted);
    }
    if (!isRecord(chunk.prompt_progress)) return;
    const processed = numberIn(chunk.prompt_progress, "processed");
    const total = numberIn(chunk.prompt_progress, "total");
    const progress =
      total === undefined || total <= 0 || processed === undefined ? undefined : processed / total;
    answer.emit({
      type: "status",
      status: "prefill",
      ...(progress !== undefined && { progress: Math.min(1, progress) }),
    });
  };

  /** True where it carries text and nothing else. */
  const takeDelta = (delta: WireDelta): boolean => {
    const { content, refusal } = delta;
    let plain = typeof content === "string";
    for (const thought of [delta.reasoning_content, delta.reasoning]) {
      if (typeof thought !== "string" || thought === "") continue;
      answer.reasoning(thought);
      plain = false;
      break;
    }
    if (typeof content === "string") addText(content);
    else if (Array.isArray(content)) content.forEach(takePart);
    else if (content !== undefined && content !== null) {
      throw new LlmError("invalid-response", "the server sent text in a form that is not known", {
        phase: "stream",
        hint: "look into the server's log, or report its name and version to us",
      });
    }
    if (typeof refusal === "string" && refusal !== "") {
      refused = true;
      plain = false;
      answer.text(refusal);
    }
    const fragments = fragmentsOf(delta);
    for (const fragment of fragments) {
      if (!isRecord(fragment)) continue;
      plain = false;
      tags?.end();
      answer.beforeCall();
      const { index, id, function: called } = fragment;
      const { name, arguments: text } = isRecord(called) ? called : fragment;
      answer.calls.add({ index, id, name, arguments: text });
    }
    return plain;
  };

  /** Some servers send content in parts, thoughts among them. */
  const takePart = (part: unknown): void => {
    if (typeof part === "string") return addText(part);
    if (!isRecord(part)) return;
    if (part["type"] === "thinking" || part["type"] === "reasoning") {
      const thoughts = part["thinking"] ?? part["text"];
      if (typeof thoughts === "string") answer.reasoning(thoughts);
      else if (Array.isArray(thoughts))
        for (const one of thoughts)
          if (isRecord(one) && typeof one["text"] === "string") answer.reasoning(one["text"]);
    } else if (typeof part["text"] === "string") addText(part["text"]);
  };

  const end = (certain: boolean): void => {
    tags?.end();
    if (reason !== undefined) {
      const told = decodeReason(reason);
      answer.finish(refused ? { unified: "content-filter", raw: reason } : told);
    } else if (certain) answer.finish({ unified: "other", raw: undefined });
    else {
      throw new LlmError("stream-interrupted", "the server ended its answer without saying why", {
        phase: "stream",
        hint: "look into the server's log: its model may have crashed",
      });
    }
  };

  return {
    start: answer.start,
    add: (pieces) => answer.guarded(() => pieces.forEach(take)),
    finish: () =>
      answer.guarded(() => {
        if (!answer.finished) end(false);
      }),
    fault: answer.fault,
    usage: answer.usage,
  };
}

function fragmentsOf({ tool_calls: calls, function_call: call }: WireDelta): readonly unknown[] {
  if (Array.isArray(calls)) return calls;
  if (isRecord(calls)) return [calls];
  return isRecord(call) ? [{ index: 0, function: call }] : [];
}

/** One piece of a stream as a value. */
export function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (cause) {
    const excerpt = data.length > 80 ? `${data.slice(0, 80)}…` : data;
    throw new LlmError("invalid-response", `the server sent something that is not JSON: ${excerpt}`, {
      phase: "stream",
      cause,
      hint: "is this the address of a model server? Most end in /v1",
    });
  }
}
