import type { JsonObject } from "@enginehouse/llm-core";

import type { ChatScript } from "../../scenario.ts";
import { eventStream } from "../framing.ts";
import type { Piece } from "../framing.ts";
import type { Exchange } from "../http-fake.ts";
import { wholeChat } from "../play-chat.ts";
import type { CallFragment, ChatWords, Ending, Prompt, Usage, WholeCall } from "../play-chat.ts";
import { fieldsOf } from "../reading.ts";
import type { OpenaiKind } from "./kind.ts";
import { errorBody } from "./refusals.ts";

/** The chunks of `/v1/chat/completions`. */
export const chatWords = (exchange: Exchange, kind: OpenaiKind, model: string): ChatWords => {
  const wantsUsage = fieldsOf(fieldsOf(exchange.body)["stream_options"])["include_usage"] === true;
  let role: JsonObject = {};

  const chunk = (choices: JsonObject[], more: JsonObject = {}): Piece => ({
    json: {
      ...cardOf(kind, model, "chat.completion.chunk"),
      choices,
      ...(kind === "openai" && wantsUsage ? { usage: null } : {}),
      ...more,
    },
  });
  const delta = (fields: JsonObject, reason: string | null = null): JsonObject => {
    const choice = { index: 0, delta: { ...role, ...fields }, finish_reason: reason };
    role = {};
    return kind === "openai" ? { ...choice, logprobs: null } : choice;
  };
  const say = (fields: JsonObject): readonly Piece[] => [chunk([delta(fields)])];

  return {
    framing: eventStream,
    // Ollama says nothing before the first piece.
    headers: kind === "ollama" ? "with-first" : "at-once",
    opening() {
      if (kind === "openai") return say({ role: "assistant", content: "", refusal: null });
      if (kind === "llama-server") return say({ role: "assistant", content: null });
      role = { role: "assistant" };
      return [];
    },
    text: (content) => say({ content }),
    reasoning: (text) =>
      say(kind === "ollama" ? { content: "", reasoning: text } : { reasoning_content: text }),
    call: (part) => say({ ...(kind === "ollama" ? { content: "" } : {}), tool_calls: [callPiece(part)] }),
    error(message) {
      if (kind === "ollama") return emptyOf(chunk, delta);
      return [{ json: errorBody(500, { message, type: "server_error" }, kind) }];
    },
    empty: () => emptyOf(chunk, delta),
    terminal(ending) {
      const calls = ending.calls.map((whole) =>
        callPiece({ ...whole, fragment: whole.inputText, first: true }),
      );
      const last = delta(calls.length === 0 ? {} : { tool_calls: calls }, reasonOf(ending.end));
      const figures = kind === "llama-server" ? { timings: timingsOf(ending.usage) } : {};
      const done: Piece = { raw: "[DONE]" };
      if (!wantsUsage || ending.usage === undefined) return [chunk([last], figures), done];
      return [chunk([last]), chunk([], { usage: usageOf(ending.usage, kind), ...figures }), done];
    },
  };
};

/** The whole answer, where nobody asked for a stream. */
export const chatInOnePiece = async (
  exchange: Exchange,
  script: ChatScript,
  prompt: Prompt,
  { kind, model }: { readonly kind: OpenaiKind; readonly model: string },
): Promise<void> => {
  const whole = await wholeChat(exchange, script, prompt);
  if (whole === undefined) return;
  const { text, reasoning, calls, end, usage, error } = whole;
  if (error !== undefined) {
    return exchange.send(500, errorBody(500, { message: error, type: "server_error" }, kind));
  }
  const thought = kind === "ollama" ? { reasoning } : { reasoning_content: reasoning };
  const message: JsonObject = {
    role: "assistant",
    content: text === "" && kind === "openai" ? null : text,
    ...(kind === "openai" ? { refusal: null } : {}),
    ...(reasoning === "" ? {} : thought),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map((made) => wholeCall(made, kind)) }),
  };
  const choice = { index: 0, message, finish_reason: end === "none" ? null : reasonOf(end) };
  return exchange.send(200, {
    ...cardOf(kind, model, "chat.completion"),
    choices: [kind === "openai" ? { ...choice, logprobs: null } : choice],
    ...(usage === undefined ? {} : { usage: usageOf(usage, kind) }),
    ...(kind === "llama-server" ? { timings: timingsOf(usage) } : {}),
  });
};

export const timingsOf = (usage: Usage | undefined): JsonObject => {
  const { input = 0, output = 0, cached = 0 } = usage ?? {};
  // It counts here as well: a backend that tells no counts must leave these out, too.
  const counts = usage && { cache_n: cached, prompt_n: input - cached, predicted_n: output };
  return {
    ...counts,
    prompt_ms: 11.937,
    prompt_per_token_ms: 0.519,
    prompt_per_second: 1926.78,
    predicted_ms: 10.534,
    predicted_per_token_ms: 0.585,
    predicted_per_second: 1708.75,
  };
};

export const secondsNow = (): number => Math.floor(Date.now() / 1_000);

const cardOf = (kind: OpenaiKind, model: string, object: string): JsonObject => ({
  id: kind === "ollama" ? "chatcmpl-717" : "chatcmpl-ihbX0QtNhBhuoi44ssM6E9xaozsJgbY5",
  object,
  created: secondsNow(),
  model,
  system_fingerprint: { openai: "fp_kit", "llama-server": "b1-0c1e570", ollama: "fp_ollama" }[kind],
});

/** A server that hides the death of its engine sends this, and nothing after it. */
const emptyOf = (
  chunk: (choices: JsonObject[], more?: JsonObject) => Piece,
  delta: (fields: JsonObject) => JsonObject,
): readonly Piece[] => [chunk([delta({ content: "" })], { model: "" })];

const callPiece = (part: Pick<CallFragment, "index" | "id" | "name" | "fragment" | "first">): JsonObject => ({
  index: part.index,
  ...(part.first && part.id !== undefined ? { id: part.id } : {}),
  ...(part.first ? { type: "function" } : {}),
  function: { ...(part.first ? { name: part.name } : {}), arguments: part.fragment },
});

const wholeCall = (whole: WholeCall, kind: OpenaiKind): JsonObject => ({
  ...(whole.id === undefined ? {} : { id: whole.id }),
  ...(kind === "ollama" ? { index: whole.index } : {}),
  type: "function",
  function: { name: whole.name, arguments: whole.inputText },
});

const REASONS = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
  "content-filter": "content_filter",
} as const;

const reasonOf = (end: Ending["end"]): string => (typeof end === "string" ? REASONS[end] : end.raw);

const usageOf = ({ input, output, cached, reasoning }: Usage, kind: OpenaiKind): JsonObject => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  ...(cached === undefined && kind !== "llama-server"
    ? {}
    : { prompt_tokens_details: { cached_tokens: cached ?? 0 } }),
  ...(reasoning === undefined ? {} : { completion_tokens_details: { reasoning_tokens: reasoning } }),
});
