import { LlmError, type Message, type ToolResultPart } from "@enginehouse/llm-core";
import type { ChatHistoryItem, ChatModelResponse } from "node-llama-cpp";

/** Every message that follows a user's and is not one belongs to the model's turn: texts, calls with their results, texts. */
export function encodeHistory(messages: readonly Message[]): ChatHistoryItem[] {
  const results = resultsById(messages);
  const history: ChatHistoryItem[] = [];
  const turn = (): ChatModelResponse["response"] => {
    const last = history.at(-1);
    if (last?.type === "model") return last.response;
    const response: ChatModelResponse["response"] = [];
    history.push({ type: "model", response });
    return response;
  };
  for (const message of messages) {
    switch (message.role) {
      case "system":
        history.push({ type: "system", text: message.content });
        break;
      case "user":
        history.push({ type: "user", text: textOf(message.content) });
        break;
      case "assistant":
        turn().push(...encodeAnswer(message.content, results));
        break;
      case "tool":
        // Each result stands with its call.
        break;
      default:
        throw unknown("role", message);
    }
  }
  if (history.at(-1)?.type !== "model") history.push({ type: "model", response: [] });
  return history;
}

function encodeAnswer(
  content: (Message & { role: "assistant" })["content"],
  results: ReadonlyMap<string, ToolResultPart>,
): ChatModelResponse["response"] {
  if (typeof content === "string") return content === "" ? [] : [content];
  let startsNewChunk = true;
  return content.map((part) => {
    switch (part.type) {
      case "text":
        return part.text;
      case "reasoning":
        return { type: "segment", segmentType: "thought", text: part.text, ended: true };
      case "tool-call": {
        const result = results.get(part.id);
        if (result === undefined) {
          throw new LlmError(
            "invalid-request",
            `messages: the call "${part.id}" of "${part.name}" has no result`,
            {
              hint: "send a tool message with its result before asking on",
            },
          );
        }
        const output = result.isError === true ? { error: result.output } : result.output;
        const call = {
          type: "functionCall" as const,
          name: part.name,
          params: part.input,
          result: output,
          startsNewChunk,
        };
        startsNewChunk = false;
        return call;
      }
      default:
        throw unknown("part", part);
    }
  });
}

/** What the types forbid still comes from callers without them, and must not be left out in silence. */
function unknown(what: "role" | "part", given: never): LlmError {
  const { role, type } = given as { role?: unknown; type?: unknown };
  return new LlmError(
    "invalid-request",
    `messages: there is no ${what} "${String(what === "role" ? role : type)}"`,
  );
}

function resultsById(messages: readonly Message[]): ReadonlyMap<string, ToolResultPart> {
  const calls = new Set<string>();
  const results = new Map<string, ToolResultPart>();
  for (const message of messages) {
    if (message.role === "assistant" && typeof message.content !== "string") {
      for (const part of message.content) if (part.type === "tool-call") calls.add(part.id);
    }
    if (message.role !== "tool") continue;
    for (const part of message.content) {
      if (!calls.has(part.id))
        throw new LlmError("invalid-request", `messages: the result "${part.id}" answers no call`);
      results.set(part.id, part);
    }
  }
  return results;
}

function textOf(content: (Message & { role: "user" })["content"]): string {
  if (typeof content === "string") return content;
  return content
    .map((part) => {
      if (part.type === "text") return part.text;
      if (part.type !== "file") throw unknown("part", part);
      throw new LlmError("unsupported", `this engine reads no files (${part.mediaType})`, {
        hint: "send its text instead",
      });
    })
    .join("");
}
