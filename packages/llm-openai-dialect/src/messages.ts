import {
  type AssistantMessage,
  type ChatRequest,
  type FilePart,
  LlmError,
  type Message,
  type ToolResultPart,
  type UserMessage,
} from "@enginehouse/llm-core";

import { type CallIds, createCallIds } from "./call-ids.ts";
import type { Policy } from "./policy.ts";
import type { Quirks } from "./quirks.ts";
import type { ToolNames } from "./tool-names.ts";

interface Means {
  readonly names: ToolNames;
  readonly policy: Policy;
  readonly quirks: Quirks;
}

/** The messages of Chat Completions. */
export function encodeMessages(request: ChatRequest, means: Means): Record<string, unknown>[] {
  const ids = createCallIds(request, means.quirks.shortCallIds);
  return request.messages.flatMap((message) => {
    switch (message.role) {
      case "system":
        return [{ role: "system", content: message.content }];
      case "user":
        return [{ role: "user", content: encodeUser(message, means.policy, chatFile) }];
      case "assistant":
        return [encodeAssistant(message, means, ids)];
      case "tool":
        return message.content.map((part) => ({
          role: "tool",
          tool_call_id: ids(part.id),
          content: resultText(part),
        }));
      default:
        throw unknownPart("role", message);
    }
  });
}

/** A plain text stays one: not every server takes parts. */
export function encodeUser(
  { content }: UserMessage,
  policy: Policy,
  form: PartForm,
): string | Record<string, unknown>[] {
  if (typeof content === "string") return content;
  const parts = content.flatMap((part) => {
    if (part.type === "text") return [form.text(part.text)];
    if (part.type !== "file") throw unknownPart("part", part);
    const file = form.file(part);
    if (file !== undefined) return [file];
    policy.lack("messages", `files of the type ${part.mediaType} cannot be sent over this wire`);
    return [];
  });
  const only = content.length === 1 ? content[0] : undefined;
  return only?.type === "text" ? only.text : parts;
}

/** How a part of a user's message is written. */
export interface PartForm {
  text(text: string): Record<string, unknown>;
  file(part: FilePart): Record<string, unknown> | undefined;
}

const AUDIO: Record<string, string> = { "audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3" };

const chatFile: PartForm = {
  text: (text) => ({ type: "text", text }),
  file(part) {
    const { mediaType, data } = part;
    if (mediaType.startsWith("image/")) return { type: "image_url", image_url: { url: dataUrl(part) } };
    const format = AUDIO[mediaType];
    if (format !== undefined) return { type: "input_audio", input_audio: { data: toBase64(data), format } };
    if (mediaType !== "application/pdf") return undefined;
    return { type: "file", file: { filename: "file.pdf", file_data: dataUrl(part) } };
  },
};

export const dataUrl = ({ mediaType, data }: FilePart): string =>
  `data:${mediaType};base64,${toBase64(data)}`;

function encodeAssistant(
  { content }: AssistantMessage,
  { names, policy, quirks }: Means,
  ids: CallIds,
): Record<string, unknown> {
  if (typeof content === "string") return { role: "assistant", content };
  const text: string[] = [];
  const reasoning: string[] = [];
  const calls: Record<string, unknown>[] = [];
  for (const part of content) {
    if (part.type === "text") text.push(part.text);
    else if (part.type === "reasoning") reasoning.push(part.text);
    else if (part.type === "tool-call") {
      const call = { name: names.toWire(part.name), arguments: JSON.stringify(part.input) };
      calls.push({ id: ids(part.id), type: "function", function: call });
    } else throw unknownPart("part", part);
  }
  if (reasoning.length > 0 && quirks.reasoningBack === false) warnOfReasoning(policy);
  return {
    role: "assistant",
    // With calls alone there is no text, which is not the same as an empty one.
    content: text.length === 0 && calls.length > 0 ? null : text.join(""),
    ...(reasoning.length > 0 &&
      quirks.reasoningBack !== false && { [quirks.reasoningBack]: reasoning.join("") }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** No fault: the dialect means earlier thoughts to be left out. Said once. */
export function warnOfReasoning({ warnings }: Policy): void {
  if (warnings.some(({ code, option }) => code === "dropped" && option === "messages")) return;
  const message = "the reasoning of earlier turns does not go back to this server";
  warnings.push({ code: "dropped", option: "messages", message });
}

/** A failed call has no field of its own: the model reads that it failed. */
export function resultText({ output, isError }: ToolResultPart): string {
  if (isError === true) return JSON.stringify({ error: output });
  return typeof output === "string" ? output : JSON.stringify(output);
}

/** What the types forbid still comes from callers without them, and must not be left out in silence. */
export function unknownPart(what: "role" | "part", given: never): LlmError {
  const { role, type } = given as Partial<Message> & { type?: unknown };
  const word = what === "role" ? role : type;
  return new LlmError("invalid-request", `messages: there is no ${what} "${String(word)}"`);
}

export function toBase64(data: Uint8Array): string {
  const pieces: string[] = [];
  // In pieces: a call takes only so many arguments.
  for (let at = 0; at < data.length; at += PIECE)
    pieces.push(String.fromCharCode(...data.subarray(at, at + PIECE)));
  return btoa(pieces.join(""));
}

const PIECE = 8_190;
