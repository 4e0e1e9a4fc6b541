import { type JsonObject, LlmError } from "@enginehouse/llm-core";
import type { SseEvent } from "@enginehouse/llm-wire";

import { createAnswer } from "./answer.ts";
import { type AnswerDecoder, type DecoderOptions, parse } from "./chat-decode.ts";
import { errorIn, faultOfError } from "./errors.ts";
import { ITEM } from "./responses-encode.ts";
import { decodeReason, decodeTimings, decodeUsage } from "./usage.ts";
import { isRecord, type WireRecord } from "./wire.ts";

/** Reads the stream of `/responses`: events that name their type. */
export function createResponsesDecoder(options: DecoderOptions): AnswerDecoder {
  const { request, quirks } = options;
  const answer = createAnswer({ ...options, refusesOverflow: quirks.refusesOverflow });
  const raw = request.includeRaw === true;
  /** Items of which something has arrived in pieces, by their id or place. */
  const begun = new Set<unknown>();
  let refused = false;

  const take = ({ data, event }: SseEvent): void => {
    if (answer.finished || data.startsWith("[DONE]")) return;
    const value = parse(data);
    if (raw) answer.emit({ type: "raw", value });
    if (!isRecord(value)) return;
    // Some servers name the type on the event's line alone.
    const type = typeof value["type"] === "string" ? value["type"] : event;
    if (Object.hasOwn(HANDLERS, type)) return HANDLERS[type]?.(value);
    const error = errorIn(value, event);
    if (error !== undefined) throw faultOfError(error, { operation: "chat" });
  };

  const delta = (value: WireRecord): string => (typeof value["delta"] === "string" ? value["delta"] : "");
  const placeOf = (value: WireRecord): unknown => value["item_id"] ?? value["output_index"];

  const addThought = (value: WireRecord): void => {
    begun.add(placeOf(value));
    answer.reasoning(delta(value));
  };

  const addItem = (value: WireRecord): void => {
    const item = value["item"];
    if (!isRecord(item)) return;
    const place = item["id"] ?? value["output_index"];
    if (item["type"] === "function_call") {
      answer.beforeCall();
      const { call_id: id, name, arguments: text } = item;
      answer.calls.add({ index: indexOf(place), id, name, arguments: text });
      if (typeof text === "string" && text !== "") begun.add(place);
    } else if (item["type"] === "message") answer.endBlock();
  };

  const doneItem = (value: WireRecord): void => {
    const item = value["item"];
    if (!isRecord(item)) return;
    const place = item["id"] ?? value["output_index"];
    const silent = !begun.has(place);
    if (item["type"] === "function_call") {
      const { call_id: id, name, arguments: text } = item;
      if (silent) answer.calls.add({ index: indexOf(place), id, name, arguments: text });
    } else if (item["type"] === "message") {
      if (silent) partsOf(item["content"]).forEach((text) => answer.text(text));
      answer.endBlock();
    } else if (item["type"] === "reasoning") {
      if (silent) partsOf(item["content"] ?? item["summary"]).forEach((text) => answer.reasoning(text));
      const kept = quirks.encryptedReasoning && typeof item["encrypted_content"] === "string";
      answer.endBlock(kept ? { [ITEM]: item as JsonObject } : undefined);
    }
  };

  /** Fragments are told apart by number; items have names. */
  const indices = new Map<unknown, number>();
  const indexOf = (place: unknown): number => {
    const known = indices.get(place) ?? indices.size;
    indices.set(place, known);
    return known;
  };

  const end = (value: WireRecord): void => {
    const response = isRecord(value["response"]) ? value["response"] : {};
    const usage = decodeUsage(response["usage"]);
    if (usage !== undefined) answer.addUsage(usage);
    if (isRecord(value["timings"])) answer.timings(decodeTimings(value["timings"]).timings);
    const details = response["incomplete_details"];
    const why = isRecord(details) ? details["reason"] : undefined;
    const error = errorIn(response);
    if (error !== undefined) throw faultOfError(error, { operation: "chat" });
    if (value["type"] === "response.incomplete" || response["status"] === "incomplete") {
      return answer.finish(
        typeof why === "string" ? decodeReason(why) : { unified: "other", raw: "incomplete" },
      );
    }
    answer.finish({ unified: refused ? "content-filter" : "stop", raw: "completed" });
  };

  const HANDLERS: Record<string, (value: WireRecord) => void> = {
    "response.output_text.delta"(value) {
      begun.add(placeOf(value));
      answer.text(delta(value));
    },
    "response.refusal.delta"(value) {
      begun.add(placeOf(value));
      refused = true;
      answer.text(delta(value));
    },
    "response.reasoning_text.delta": addThought,
    "response.reasoning_summary_text.delta": addThought,
    // Paragraphs of a summary come without anything between them.
    "response.reasoning_summary_part.added"(value) {
      if (Number(value["summary_index"] ?? 0) > 0) answer.reasoning("\n\n");
    },
    "response.output_item.added": addItem,
    "response.output_item.done": doneItem,
    "response.function_call_arguments.delta"(value) {
      const place = placeOf(value);
      begun.add(place);
      answer.calls.add({ index: indexOf(place), arguments: delta(value) });
    },
    "response.completed": end,
    "response.incomplete": end,
    "response.failed"(value) {
      const response = isRecord(value["response"]) ? value["response"] : {};
      const error = errorIn(response) ?? { message: "the server could not finish its answer" };
      throw faultOfError(error, { operation: "chat" });
    },
  };

  return {
    start: answer.start,
    add: (pieces) => answer.guarded(() => pieces.forEach(take)),
    finish: () =>
      answer.guarded(() => {
        if (answer.finished) return;
        throw new LlmError("stream-interrupted", "the server ended its answer without its closing event", {
          phase: "stream",
          hint: "look into the server's log: its model may have crashed",
        });
      }),
    fault: answer.fault,
    usage: answer.usage,
  };
}

function partsOf(content: unknown): string[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((part: unknown) =>
    isRecord(part) && typeof part["text"] === "string" ? [part["text"]] : [],
  );
}
