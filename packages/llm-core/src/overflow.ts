import type { ChatRequest, Message } from "./chat.ts";
import type { LlmError } from "./errors.ts";
import type { Warning } from "./events.ts";

/**
 * The request with its oldest turns gone: as many as the error's figures call for, else one. A turn is a user's
 * message and all that answered it; system messages and the last turn stay. Throws the error when nothing can go.
 */
export function dropOldest(request: ChatRequest, error: LlmError): { request: ChatRequest; dropped: number } {
  const { messages } = request;
  const starts = messages.flatMap((message, index) => (message.role === "user" ? [index] : []));
  const last = starts.at(-1);
  if (last === undefined || starts.length < 2) throw error;

  const { promptTokens, window } = error.figures ?? {};
  const excess = promptTokens === undefined || window === undefined ? 0 : 1 - window / promptTokens;
  const goal = excess * messages.reduce((sum, message) => sum + lengthOf(message), 0);
  let gone = 0;
  let end = starts[1] ?? last;
  for (const start of starts.slice(1)) {
    end = start;
    gone = messages
      .slice(0, end)
      .reduce((sum, message) => sum + (message.role === "system" ? 0 : lengthOf(message)), 0);
    if (gone >= goal) break;
  }
  const kept = messages.filter((message, index) => index >= end || message.role === "system");
  return { request: { ...request, messages: kept }, dropped: messages.length - kept.length };
}

/** What the reader of an answer is told of the messages that it could not take into account. */
export function droppedWarning(count: number): Warning {
  return {
    code: "dropped",
    option: "overflow",
    message: `${count} of the oldest messages were left out to fit the context window`,
  };
}

/** In characters; a file counts as much as a page, as its bytes are no measure of its tokens. */
function lengthOf({ content }: Message): number {
  if (typeof content === "string") return content.length;
  return content.reduce((sum, part) => sum + (part.type === "file" ? PAGE : JSON.stringify(part).length), 0);
}

const PAGE = 3_000;
