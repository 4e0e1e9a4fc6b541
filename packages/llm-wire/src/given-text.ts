import type { ChatEvent, ChatRequest, EventBatch } from "@enginehouse/llm-core";

import type { EventDecoder } from "./call.ts";

/** The text of an assistant's message that the answer is to go on with. */
export function givenText({ messages }: Pick<ChatRequest, "messages">): string {
  const last = messages.at(-1);
  if (last?.role !== "assistant") return "";
  if (typeof last.content === "string") return last.content;
  return last.content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** The answer without the text that it goes on with: an answer is what the model adds, whichever server it comes from. */
export function withoutGiven<Piece>(
  decoder: Required<EventDecoder<Piece>>,
  given: string,
): Required<EventDecoder<Piece>> {
  if (given === "") return decoder;
  let missing = given;
  let decided = false;
  let held: ChatEvent[] = [];

  const letGo = (into: ChatEvent[]): void => {
    into.push(...held);
    held = [];
    decided = true;
  };

  const take = (event: ChatEvent, into: ChatEvent[]): void => {
    if (decided || event.type === "start" || event.type === "status" || event.type === "raw") {
      into.push(event);
    } else if (event.type === "text-start") {
      held.push(event);
    } else if (
      event.type === "text-delta" &&
      event.text.length < missing.length &&
      missing.startsWith(event.text)
    ) {
      held.push(event);
      missing = missing.slice(event.text.length);
    } else if (event.type === "text-delta" && event.text.startsWith(missing)) {
      held = held.filter(({ type }) => type === "text-start");
      letGo(into);
      const text = event.text.slice(missing.length);
      if (text !== "") into.push({ ...event, text });
    } else if (held.length === 0) {
      // Thoughts come before the text.
      into.push(event);
    } else {
      // Not the given text after all.
      letGo(into);
      into.push(event);
    }
  };

  const without = (events: EventBatch): EventBatch => {
    if (decided) return events;
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
