import type { JsonObject } from "@enginehouse/llm-core";

import type { ChatScript, ModelScript } from "../../scenario.ts";
import { ndjson } from "../framing.ts";
import type { Exchange } from "../http-fake.ts";
import { beginChat, streamChat, wholeChat } from "../play-chat.ts";
import type { CallFragment, ChatWords, Ending, Prompt, Usage, WholeCall } from "../play-chat.ts";
import { fieldsOf } from "../reading.ts";
import { wordsOfMessages } from "../words.ts";

export const answerChat = async (exchange: Exchange, model: ModelScript): Promise<void> => {
  const { house, asked, gone } = exchange;
  if (model.task !== "chat") {
    return exchange.refuse({ status: 400, message: `${model.id} is no model for chats` });
  }
  const script = house.nextChat();
  await exchange.generate(async () => {
    const refusal = await beginChat(exchange, script);
    if (refusal !== undefined) return exchange.refuse(refusal);
    const loaded = await house.load(model, asked, gone);
    if ("refusal" in loaded) return exchange.refuse(loaded.refusal);
    const prompt = promptIn(exchange, model, loaded.window);
    if (prompt === undefined) {
      const tokens = wordsOfMessages(asked.messages);
      const message = `the prompt has ${tokens} tokens, the window ${loaded.window}`;
      const error = { code: "overflow", message, tokens, limit: loaded.window };
      return exchange.send(400, { error });
    }
    if (asked.stream === false) await inOnePiece(exchange, script, prompt);
    else await streamChat(exchange, script, wordsFor(model.id, script.form?.lean), prompt);
  });
  if (asked.keepAliveMs === 0) house.unload(model);
};

/** `undefined`: it does not fit, and the request says that this is an error. */
const promptIn = (exchange: Exchange, model: ModelScript, window: number): Prompt | undefined => {
  const tokens = wordsOfMessages(exchange.asked.messages);
  const mayRefuse = model.forgets !== true && fieldsOf(exchange.body)["overflow"] === "error";
  if (!mayRefuse) return { tokens: Math.min(tokens, window) };
  return tokens > window ? undefined : { tokens, room: window - tokens };
};

const wordsFor = (model: string, lean = false): ChatWords => ({
  framing: ndjson(),
  opening: () => [{ json: { type: "start", ...(lean ? {} : { model }) } }],
  text: (text) => [{ json: { type: "text", text } }],
  reasoning: (text) => [{ json: { type: "reasoning", text } }],
  call: (part) => [{ json: callPiece(part) }],
  error: (message) => [{ json: { type: "error", message } }],
  empty: () => [{ json: { type: "text", text: "" } }],
  terminal: (ending) => [{ json: { type: "end", ...endOf(ending) } }],
  usage: (usage) => [{ json: { type: "usage", usage: usageOf(usage) } }],
});

const callPiece = (part: CallFragment): JsonObject => ({
  type: "call",
  index: part.index,
  ...(part.first && part.id !== undefined ? { id: part.id } : {}),
  ...(part.first ? { name: part.name } : {}),
  input: part.fragment,
});

const endOf = (ending: Ending): JsonObject => ({
  reason: reasonOf(ending.end),
  ...(ending.usage === undefined ? {} : { usage: usageOf(ending.usage) }),
  ...(ending.calls.length === 0 ? {} : { calls: ending.calls.map(wholeCall) }),
});

const inOnePiece = async (exchange: Exchange, script: ChatScript, prompt: Prompt): Promise<void> => {
  const whole = await wholeChat(exchange, script, prompt);
  if (whole === undefined) return;
  if (whole.error !== undefined) return exchange.refuse({ status: 500, message: whole.error });
  return exchange.send(200, {
    text: whole.text,
    ...(whole.reasoning === "" ? {} : { reasoning: whole.reasoning }),
    calls: whole.calls.map(wholeCall),
    ...(whole.end === "none" ? {} : { reason: reasonOf(whole.end) }),
    ...(whole.usage === undefined ? {} : { usage: usageOf(whole.usage) }),
  });
};

const wholeCall = (whole: WholeCall): JsonObject => ({
  ...(whole.id === undefined ? {} : { id: whole.id }),
  name: whole.name,
  input: whole.inputText,
});

const REASONS = {
  stop: "stop",
  length: "length",
  "tool-calls": "calls",
  "content-filter": "filter",
} as const;

const reasonOf = (end: Ending["end"]): string => (typeof end === "string" ? REASONS[end] : end.raw);

const usageOf = ({ input, output, cached, reasoning }: Usage): JsonObject => ({
  input,
  output,
  ...(cached === undefined ? {} : { cached }),
  ...(reasoning === undefined ? {} : { reasoning }),
});
