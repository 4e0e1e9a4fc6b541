import type { ChatEvent, ChatRequest, EventBatch } from "@enginehouse/llm-core";

import type { EventDecoder } from "./call.ts";
import { createThinkTags } from "./think-tags.ts";

/** The text of an assistant's message that the answer is to go on with. */
export function givenText({ messages }: Pick<ChatRequest, "messages">): string {
  const last = messages.at(-1);
  if (last?.role !== "assistant") return "";
  if (typeof last.content === "string") return last.content;
  return last.content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/**
 * The answer without the text that it goes on with: an answer is what the model adds, whichever server it comes from.
 * Where that text begins with thoughts between tags, they may come back as thoughts.
 */
export function withoutGiven<Piece>(
  decoder: Required<EventDecoder<Piece>>,
  given: string,
): Required<EventDecoder<Piece>> {
  if (given === "") return decoder;
  let readings = readingsOf(given);
  let decided = false;
  let held: ChatEvent[] = [];
  let got: readonly Segment[] = [];
  /** The start of the block that goes on where the given text ends: it comes with the first that is added. */
  let opening: ChatEvent | undefined;

  const letGo = (into: ChatEvent[]): void => {
    into.push(...held);
    held = [];
    got = [];
  };

  const goOn = (event: ChatEvent, into: ChatEvent[]): void => {
    if (opening !== undefined && !isBeside(event)) {
      const block = opening;
      opening = undefined;
      if (isEmptyEnd(event) && "id" in block && block.id === event.id) return;
      into.push(block);
    }
    into.push(event);
  };

  const takeDelta = (event: Delta, into: ChatEvent[]): void => {
    const kind = kindOf(event);
    got = withPiece(got, { kind, text: event.text });
    const fits = readings.map((reading) => fitOf(got, reading));
    if (fits.includes("partly")) return void held.push(event);
    const rest = fits.find((fit) => typeof fit === "object");
    if (rest !== undefined) {
      opening = held.findLast(({ type }) => type === `${kind}-start`);
      held = [];
      decided = true;
      if (rest.added !== "") goOn({ ...event, text: rest.added }, into);
      return;
    }
    const own = got.length > 1 && got[0]?.kind === "reasoning";
    // Thoughts of its own come before the text.
    readings = kind === "reasoning" || own ? readings.filter(([first]) => first?.kind === "text") : [];
    decided = readings.length === 0;
    if (own && kind === "text" && !decided) {
      into.push(
        ...held.splice(
          0,
          held.findLastIndex(({ type }) => type === "text-start"),
        ),
      );
      got = [];
      return takeDelta(event, into);
    }
    letGo(into);
    into.push(event);
  };

  const take = (event: ChatEvent, into: ChatEvent[]): void => {
    if (decided) goOn(event, into);
    else if (isBeside(event)) into.push(event);
    else if (event.type === "text-delta" || event.type === "reasoning-delta") takeDelta(event, into);
    else if (event.type === "text-start" || event.type === "reasoning-start") held.push(event);
    else if (held.length > 0 && isEmptyEnd(event)) held.push(event);
    else {
      // A call, or the end: what was held is not all of the given text.
      letGo(into);
      into.push(event);
    }
  };

  const without = (events: EventBatch): EventBatch => {
    if (decided && opening === undefined) return events;
    const rest: ChatEvent[] = [];
    for (const event of events) take(event, rest);
    if (decoder.fault() !== undefined) letGo(rest);
    return rest;
  };

  return {
    start: () => decoder.start(),
    add: (pieces) => without(decoder.add(pieces)),
    finish: () => without(decoder.finish()),
    fault: () => decoder.fault(),
    usage: () => decoder.usage(),
  };
}

type Delta = Extract<ChatEvent, { readonly type: "text-delta" | "reasoning-delta" }>;
type End = Extract<ChatEvent, { readonly type: "text-end" | "reasoning-end" }>;

interface Segment {
  readonly kind: "text" | "reasoning";
  readonly text: string;
}

const kindOf = ({ type }: Delta): Segment["kind"] => (type === "text-delta" ? "text" : "reasoning");

const isBeside = ({ type }: ChatEvent): boolean => type === "start" || type === "status" || type === "raw";

const isEmptyEnd = (event: ChatEvent): event is End =>
  event.type === "text-end" || (event.type === "reasoning-end" && event.providerData === undefined);

/** How the text may come back: as it is, or with its thoughts told apart, whole or trimmed. */
function readingsOf(given: string): readonly (readonly Segment[])[] {
  const parts = { text: "", reasoning: "" };
  const tags = createThinkTags({
    text: (text) => (parts.text += text),
    reasoning: (text) => (parts.reasoning += text),
  });
  tags.add(given);
  tags.end();
  const asItIs: readonly Segment[] = [{ kind: "text", text: given }];
  if (parts.reasoning === "") return [asItIs];
  const text: Segment = { kind: "text", text: parts.text };
  const thoughts = [parts.reasoning, parts.reasoning.trim()].map((one): Segment => ({
    kind: "reasoning",
    text: one,
  }));
  const apart = thoughts.map((one) => [one, text].filter((segment) => segment.text !== ""));
  return [asItIs, ...apart.filter((reading) => reading.length > 0)];
}

function withPiece(got: readonly Segment[], piece: Segment): readonly Segment[] {
  const last = got.at(-1);
  if (last?.kind !== piece.kind) return [...got, piece];
  return [...got.slice(0, -1), { ...last, text: last.text + piece.text }];
}

/** Whether what came may still become the reading, is none, or is all of it, with what is added. */
function fitOf(
  got: readonly Segment[],
  reading: readonly Segment[],
): "partly" | "not" | { readonly added: string } {
  if (got.length > reading.length) return "not";
  const last = got.length - 1;
  for (const [at, { kind, text }] of got.entries()) {
    const wanted = reading[at];
    if (wanted?.kind !== kind) return "not";
    if (at < last && text !== wanted.text) return "not";
    if (at === reading.length - 1 && text.startsWith(wanted.text))
      return { added: text.slice(wanted.text.length) };
    if (!wanted.text.startsWith(text)) return "not";
  }
  return "partly";
}
