import type { Exchange } from "../http-fake.ts";
import { fieldsOf, numberOf, stringOf } from "../reading.ts";
import { countWords, scoreFor, wordsOfTexts } from "../words.ts";
import { props, slots } from "./models.ts";
import { countInput, refuse } from "./replies.ts";

/** What llama-server answers besides. */
export const LLAMA_SERVER: Readonly<Record<string, (exchange: Exchange) => Promise<void>>> = {
  "GET /health": (exchange) => exchange.send(200, { status: "ok" }),
  "GET /props": (exchange) => exchange.send(200, props(exchange)),
  "GET /slots": (exchange) =>
    exchange.send(200, JSON.stringify(slots(exchange)), {
      "content-type": "application/json; charset=utf-8",
    }),
  "POST /tokenize": (exchange) => {
    const { content, with_pieces: withPieces } = fieldsOf(exchange.body);
    const words = (stringOf(content) ?? "").split(/\s+/u).filter((word) => word !== "");
    const tokens = words.map((piece, place) => (withPieces === true ? { id: place + 3, piece } : place + 3));
    return exchange.send(200, { tokens });
  },
  "POST /apply-template": (exchange) => {
    const { messages = [] } = exchange.asked;
    const prompt = messages.map(({ role, text }) => `<|im_start|>${role}\n${text}<|im_end|>\n`);
    return exchange.send(200, { prompt: `${prompt.join("")}<|im_start|>assistant\n` });
  },
  "POST /chat/completions/input_tokens": (exchange) => countInput(exchange),
  "POST /rerank": (exchange) => {
    const { house, asked, body } = exchange;
    const { query, top_n: top } = fieldsOf(body);
    const model = house.find(asked.model) ?? house.models.find((one) => one.task === "rerank");
    if (model?.task !== "rerank") {
      const message = "This server does not support reranking. Start it with `--reranking`";
      return refuse(exchange, 501, { message, type: "not_supported_error" }, "llama-server");
    }
    const texts = asked.texts ?? [];
    const tokens = wordsOfTexts(texts) + countWords(stringOf(query) ?? "") * texts.length;
    const results = texts
      .map((text, index) => ({ index, relevance_score: scoreFor(stringOf(query) ?? "", text) }))
      .toSorted((one, other) => other.relevance_score - one.relevance_score)
      .slice(0, numberOf(top) ?? texts.length);
    const usage = { prompt_tokens: tokens, total_tokens: tokens };
    return exchange.send(200, { model: model.id, object: "list", usage, results });
  },
};
