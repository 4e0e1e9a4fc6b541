import type { JsonObject } from "@enginehouse/llm-core";

import type { ChatScript, End } from "../../scenario.ts";
import { eventStream } from "../framing.ts";
import type { Piece } from "../framing.ts";
import type { Exchange } from "../http-fake.ts";
import { wholeChat } from "../play-chat.ts";
import type { ChatWords, Prompt, Usage, WholeCall } from "../play-chat.ts";
import { secondsNow, timingsOf } from "./chat.ts";
import type { OpenaiKind } from "./kind.ts";
import { errorBody } from "./refusals.ts";

interface Item {
  readonly type: "reasoning" | "message" | "function_call";
  readonly id: string;
  readonly place: number;
  readonly call?: WholeCall;
  text: string;
  closed: boolean;
}

/** The typed events of `/v1/responses`. */
export const responseWords = (kind: OpenaiKind, model: string): ChatWords => {
  const items: Item[] = [];
  const calls = new Map<number, Item>();
  let number = 0;

  const event = (type: string, fields: JsonObject): Piece => {
    const order = kind === "openai" ? { sequence_number: number } : {};
    number += 1;
    return { event: type, json: { type, ...order, ...fields } };
  };
  const place = (item: Item): JsonObject => (kind === "openai" ? { output_index: item.place } : {});
  const part = (item: Item): JsonObject => (kind === "openai" ? { ...place(item), content_index: 0 } : {});

  const opened = (type: Item["type"], call?: WholeCall): { item: Item; pieces: Piece[] } => {
    const current = items.at(-1);
    if (current !== undefined && current.type === type && !current.closed && call === undefined) {
      return { item: current, pieces: [] };
    }
    const item: Item = {
      type,
      id: `${PREFIXES[type]}_${items.length + 1}`,
      place: items.length,
      ...(call === undefined ? {} : { call }),
      text: "",
      closed: false,
    };
    // Calls may grow in turns: another call does not end them.
    const before = kind === "openai" ? closing((one) => call === undefined || one.call === undefined) : [];
    items.push(item);
    const pieces = [
      ...before,
      event("response.output_item.added", { ...place(item), item: itemOf(item, kind, "in_progress") }),
    ];
    if (type === "message") {
      const empty = { type: "output_text", text: "", ...(kind === "openai" ? { annotations: [] } : {}) };
      pieces.push(event("response.content_part.added", { ...part(item), item_id: item.id, part: empty }));
    }
    return { item, pieces };
  };

  /** What ends the items that are still open. llama-server ends all of them at the end of the answer. */
  const closing = (which: (item: Item) => boolean = () => true): Piece[] =>
    items
      .filter((item) => !item.closed && which(item))
      .flatMap((item) => {
        item.closed = true;
        return [
          ...textEnd(item),
          event("response.output_item.done", { ...place(item), item: itemOf(item, kind, "completed") }),
        ];
      });

  const textEnd = (item: Item): Piece[] => {
    const { type, id, text, call } = item;
    if (type === "reasoning") return [];
    if (type === "function_call") {
      const whole = { ...place(item), item_id: id, name: call?.name ?? "", arguments: text };
      return [event("response.function_call_arguments.done", whole)];
    }
    const at = { ...part(item), item_id: id };
    return [
      event("response.output_text.done", { ...at, text }),
      event("response.content_part.done", { ...at, part: textPart(text) }),
    ];
  };

  const response = (status: string, more: JsonObject = {}): JsonObject => ({
    id: "resp_weplRzye4W1gegFkYguhfWygkS6SQLVA",
    object: "response",
    status,
    ...(kind === "openai" || status !== "in_progress" ? { created_at: secondsNow(), model } : {}),
    ...more,
  });

  return {
    framing: eventStream,
    opening: () => [
      event("response.created", { response: response("in_progress") }),
      event("response.in_progress", { response: response("in_progress") }),
    ],
    text(text) {
      const { item, pieces } = opened("message");
      item.text += text;
      return [
        ...pieces,
        event("response.output_text.delta", { ...part(item), item_id: item.id, delta: text }),
      ];
    },
    reasoning(text) {
      const { item, pieces } = opened("reasoning");
      item.text += text;
      const type =
        kind === "openai" ? "response.reasoning_summary_text.delta" : "response.reasoning_text.delta";
      const index = kind === "openai" ? { summary_index: 0 } : {};
      return [...pieces, event(type, { ...place(item), ...index, item_id: item.id, delta: text })];
    },
    call(fragment) {
      const started = calls.get(fragment.index);
      const { item, pieces } =
        started === undefined ? opened("function_call", fragment) : { item: started, pieces: [] };
      calls.set(fragment.index, item);
      item.text += fragment.fragment;
      const delta = { ...place(item), item_id: item.id, delta: fragment.fragment };
      return [...pieces, event("response.function_call_arguments.delta", delta)];
    },
    error: (message) => [event("error", { code: "server_error", message, param: null })],
    empty: () => [event("response.in_progress", { response: response("in_progress") })],
    terminal(ending) {
      const late = ending.calls.flatMap((call) => {
        const { item, pieces } = opened("function_call", call);
        item.text = call.inputText;
        return pieces;
      });
      const pieces = [...late, ...closing()];
      const { status, more } = statusOf(ending.end);
      const output = items.map((item) => itemOf(item, kind, "completed"));
      const usage = ending.usage === undefined ? {} : { usage: usageOf(ending.usage) };
      const whole = { response: response(status, { output, ...usage, ...more }) };
      const figures = kind === "llama-server" ? { timings: timingsOf(ending.usage) } : {};
      return [...pieces, event(`response.${status}`, { ...whole, ...figures })];
    },
  };
};

export const responseInOnePiece = async (
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
  const item = (type: Item["type"], said: string, call?: WholeCall): JsonObject => {
    const fields = { type, id: `${PREFIXES[type]}_1`, place: 0, text: said, closed: true };
    return itemOf(call === undefined ? fields : { ...fields, call }, kind, "completed");
  };
  const { status, more } = statusOf(end === "none" ? "stop" : end);
  return exchange.send(200, {
    id: "resp_weplRzye4W1gegFkYguhfWygkS6SQLVA",
    object: "response",
    created_at: secondsNow(),
    status,
    model,
    output: [
      ...(reasoning === "" ? [] : [item("reasoning", reasoning)]),
      ...(text === "" ? [] : [item("message", text)]),
      ...calls.map((call) => item("function_call", call.inputText, call)),
    ],
    ...(usage === undefined ? {} : { usage: usageOf(usage) }),
    ...more,
  });
};

const PREFIXES = { reasoning: "rs", message: "msg", function_call: "fc" } as const;

const textPart = (text: string): JsonObject => ({ type: "output_text", annotations: [], logprobs: [], text });

const itemOf = (item: Item, kind: OpenaiKind, status: "in_progress" | "completed"): JsonObject => {
  const { type, id, text, call } = item;
  const open = status === "in_progress";
  if (type === "message") {
    return { id, type, status, role: "assistant", content: open ? [] : [textPart(text)] };
  }
  if (type === "function_call") {
    const callId = call?.id === undefined ? {} : { call_id: call.id };
    return { id, type, status, ...callId, name: call?.name ?? "", arguments: open ? "" : text };
  }
  if (kind === "openai") {
    return { id, type, summary: open ? [] : [{ type: "summary_text", text }] };
  }
  const content = open ? [] : [{ type: "reasoning_text", text }];
  return { id, type, summary: [], content, encrypted_content: "", ...(open ? { status } : {}) };
};

const statusOf = (
  end: Exclude<End, "none">,
): { readonly status: "completed" | "incomplete"; readonly more: JsonObject } => {
  if (end === "stop" || end === "tool-calls") return { status: "completed", more: {} };
  const reasons = { length: "max_output_tokens", "content-filter": "content_filter" } as const;
  const reason = typeof end === "string" ? reasons[end] : end.raw;
  return { status: "incomplete", more: { incomplete_details: { reason } } };
};

const usageOf = ({ input, output, cached, reasoning }: Usage): JsonObject => ({
  input_tokens: input,
  output_tokens: output,
  total_tokens: input + output,
  input_tokens_details: { cached_tokens: cached ?? 0 },
  ...(reasoning === undefined ? {} : { output_tokens_details: { reasoning_tokens: reasoning } }),
});
