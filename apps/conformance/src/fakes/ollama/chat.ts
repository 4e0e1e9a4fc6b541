import type { JsonObject } from "@enginehouse/llm-core";

import type { ChatScript, ModelScript } from "../../scenario.ts";
import { ndjson } from "../framing.ts";
import type { Exchange } from "../http-fake.ts";
import { beginChat, streamChat, wholeChat } from "../play-chat.ts";
import type { ChatWords, Ending, Prompt, Usage, WholeCall } from "../play-chat.ts";
import { fieldsOf } from "../reading.ts";
import { wordsOfMessages } from "../words.ts";
import type { OllamaKind } from "./kind.ts";
import { overflowError } from "./refusals.ts";
import { fitPrompt, windowFor } from "./window.ts";

/** `/api/chat`, and `/api/generate` with a `response` in place of a message. */
export const answerChat = async (exchange: Exchange, model: ModelScript, kind: OllamaKind): Promise<void> => {
  const { house, asked, gone } = exchange;
  const body = fieldsOf(exchange.body);
  const script = house.nextChat();
  await exchange.generate(async () => {
    const refusal = await beginChat(exchange, script);
    if (refusal !== undefined) return exchange.refuse(refusal);
    const wish = { window: windowFor(asked.window, model, kind), keepAliveMs: asked.keepAliveMs };
    const loaded = await house.load(model, wish, gone);
    if ("refusal" in loaded) return exchange.refuse(loaded.refusal);
    // A server that is older than these fields cuts and shifts, whatever it is asked.
    const old = model.forgets === true;
    const habits = {
      truncate: old || body["truncate"] !== false,
      shift: old || body["shift"] !== false,
      kind: old ? ({ ...kind, path: "template" } as const) : kind,
    };
    const prompt = fitPrompt(asked.messages ?? [], loaded.window, habits);
    if (prompt === undefined) {
      return exchange.send(400, overflowError(wordsOfMessages(asked.messages), loaded.window, kind));
    }
    const words = wordsFor(exchange);
    if (asked.stream === false) await inOnePiece(exchange, script, prompt, words);
    else await streamChat(exchange, script, words, prompt);
  });
  if (asked.keepAliveMs === 0) house.unload(model);
};

export const stampOf = (time = Date.now()): string => `${new Date(time).toISOString().slice(0, -1)}456789Z`;

/** The answer to a request that only loads or unloads: one object, although no `stream:false` was sent. */
export const loadedAnswer = (exchange: Exchange, reason: "load" | "unload"): JsonObject => ({
  ...lineOf(exchange, { content: "" }),
  done: true,
  done_reason: reason,
});

interface OllamaWords extends ChatWords {
  line(said: Said): JsonObject;
}

interface Said {
  readonly content: string;
  readonly thinking?: string | undefined;
  readonly calls?: readonly WholeCall[] | undefined;
}

const wordsFor = (exchange: Exchange): OllamaWords => {
  const line = (said: Said): JsonObject => lineOf(exchange, said);
  const open = (said: Said) => [{ json: { ...line(said), done: false } }];
  return {
    framing: ndjson(writeAsGo),
    // A client hears nothing before the first piece, the loading and the prefill included.
    headers: "with-first",
    line,
    opening: () => [],
    text: (content) => open({ content }),
    reasoning: (thinking) => open({ content: "", thinking }),
    call: (part) => (part.last ? open({ content: "", calls: [part] }) : []),
    error: (message) => [{ json: { error: message } }],
    empty: () => open({ content: "" }),
    terminal: (ending) => [{ json: { ...line({ content: "", calls: ending.calls }), ...endOf(ending) } }],
  };
};

const inOnePiece = async (
  exchange: Exchange,
  script: ChatScript,
  prompt: Prompt,
  words: OllamaWords,
): Promise<void> => {
  const whole = await wholeChat(exchange, script, prompt);
  if (whole === undefined) return;
  if (whole.error !== undefined) return exchange.send(500, { error: whole.error });
  const { text, reasoning, calls, end } = whole;
  const line = words.line({ content: text, thinking: reasoning === "" ? undefined : reasoning, calls });
  // A stream that ends without its last line has no last line's fields here either.
  return exchange.send(200, { ...line, ...(end === "none" ? { done: false } : endOf({ ...whole, end })) });
};

const lineOf = (exchange: Exchange, { content, thinking, calls = [] }: Said): JsonObject => {
  const more = {
    ...(thinking === undefined ? {} : { thinking }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(callOf) }),
  };
  const said: JsonObject =
    exchange.path === "/api/generate"
      ? { response: content, ...more }
      : { message: { role: "assistant", content, ...more } };
  return { model: exchange.asked.model ?? "", created_at: stampOf(), ...said };
};

const callOf = (whole: WholeCall): JsonObject => ({
  ...(whole.id === undefined ? {} : { id: whole.id }),
  function: { index: whole.index, name: whole.name, arguments: objectOf(whole.inputText) },
});

const objectOf = (text: string): JsonObject => {
  const value: unknown = JSON.parse(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new Error(`Ollama sends arguments as an object; the scenario has ${text}`);
};

const endOf = (ending: Ending): JsonObject => ({
  done: true,
  done_reason: reasonOf(ending.end),
  ...figuresOf(ending.usage),
});

/** A server that made calls says stop as well. */
const reasonOf = (end: Ending["end"]): string => {
  if (typeof end === "object") return end.raw;
  if (end === "content-filter") throw new Error("Ollama has no word for a content filter");
  return end === "length" ? "length" : "stop";
};

const figuresOf = (usage: Usage | undefined): JsonObject => ({
  total_duration: 64_550_890,
  load_duration: 775_700,
  ...(usage === undefined ? {} : { prompt_eval_count: usage.input }),
  prompt_eval_duration: 28_810_000,
  ...(usage === undefined ? {} : { eval_count: usage.output }),
  eval_duration: 20_337_000,
});

/** HTML's characters are written as escapes. */
const writeAsGo = (json: JsonObject): string =>
  JSON.stringify(json).replace(/[<>&]/gu, (unit) => `\\u00${unit.charCodeAt(0).toString(16)}`);
