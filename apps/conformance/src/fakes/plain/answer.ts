import type { JsonObject } from "@enginehouse/llm-core";

import type { ModelScript } from "../../scenario.ts";
import { playEmbed } from "../embedding.ts";
import { ndjson } from "../framing.ts";
import type { Exchange } from "../http-fake.ts";
import { countWords, scoreFor, wordsOfMessages } from "../words.ts";
import { answerChat } from "./chat.ts";
import { modelPath } from "./read.ts";

export const answerPlain = async (exchange: Exchange): Promise<void> => {
  const { house, asked } = exchange;
  const name = modelPath(exchange.path);
  const route =
    name === undefined ? `${exchange.method} ${exchange.path}` : `${exchange.method} /models/NAME`;
  if (route === "GET /health") {
    return exchange.send(200, { status: "ok", version: house.scenario.version ?? "1.0.0" });
  }
  if (route === "GET /models") {
    return exchange.send(200, { models: house.models.map((model) => card(model, exchange)) });
  }
  if (route === "GET /loaded") {
    const models = house.loaded.map(({ id, window, keepAliveMs }) => ({
      name: id,
      window,
      ...(keepAliveMs === undefined ? {} : { keepAliveMs: keepAliveMs === Infinity ? -1 : keepAliveMs }),
    }));
    return exchange.send(200, { models });
  }
  if (!ROUTES.has(route))
    return refuse(exchange, 404, "invalid", `there is no ${exchange.method} ${exchange.path}`);
  if (asked.model === undefined) return refuse(exchange, 400, "invalid", "the request names no model");
  if (route === "POST /pull") return pull(exchange, asked.model);
  const model = house.find(asked.model);
  if (model === undefined) {
    return exchange.refuse({
      status: 404,
      because: "model-missing",
      message: `there is no model "${asked.model}"; POST /pull brings one`,
    });
  }
  if (route === "GET /models/NAME") return exchange.send(200, card(model, exchange));
  if (route === "DELETE /models/NAME") {
    house.remove(model.id);
    return exchange.send(204);
  }
  if (route === "POST /chat") return answerChat(exchange, model);
  if (route === "POST /embed") return embed(exchange, model);
  if (route === "POST /rerank") return rerank(exchange, model);
  if (route === "POST /count") return count(exchange, model);
  if (route === "POST /load") return load(exchange, model);
  house.unload(model);
  return exchange.send(204);
};

const ROUTES = new Set([
  "GET /models/NAME",
  "DELETE /models/NAME",
  "POST /chat",
  "POST /embed",
  "POST /rerank",
  "POST /count",
  "POST /pull",
  "POST /load",
  "POST /unload",
]);

const refuse = (exchange: Exchange, status: number, code: string, message: string, more: JsonObject = {}) =>
  exchange.send(status, { error: { code, message, ...more } });

const card = (model: ModelScript, { house }: Exchange): JsonObject => ({
  name: model.id,
  task: model.task,
  window: model.window,
  features: [...(model.features ?? [])],
  ...(model.dimensions === undefined ? {} : { dimensions: model.dimensions }),
  ...(model.sizeBytes === undefined ? {} : { sizeBytes: model.sizeBytes }),
  ...(model.quantization === undefined ? {} : { quantization: model.quantization }),
  ...(model.license === undefined ? {} : { license: model.license }),
  loaded: house.isLoaded(model) !== undefined,
});

const embed = async (exchange: Exchange, model: ModelScript): Promise<void> => {
  const { house, asked } = exchange;
  const script = house.nextEmbed();
  const outcome = await playEmbed(exchange, model, script);
  if (outcome === undefined) return;
  if ("problem" in outcome) {
    const { problem } = outcome;
    return problem.type === "batch-limit"
      ? refuse(exchange, 400, "batch-limit", `at most ${problem.limit} texts in one request`, {
          limit: problem.limit,
        })
      : refuse(
          exchange,
          400,
          "too-long",
          `text ${problem.index} has ${problem.tokens} tokens, the model reads ${problem.limit}`,
          {
            limit: problem.limit,
            tokens: problem.tokens,
          },
        );
  }
  if (asked.keepAliveMs === 0) house.unload(model);
  const { vectors, tokens } = outcome;
  return exchange.send(200, { vectors, ...(tokens === undefined ? {} : { usage: { input: tokens } }) });
};

const rerank = async (exchange: Exchange, model: ModelScript): Promise<void> => {
  const { query } = Object(exchange.body) as { query?: unknown };
  if (model.task !== "rerank") return refuse(exchange, 400, "invalid", `${model.id} is no model for ranking`);
  if (typeof query !== "string") return refuse(exchange, 400, "invalid", "the request has no query");
  const refusal = await ready(exchange, model);
  if (refusal) return;
  return exchange.send(200, { scores: (exchange.asked.texts ?? []).map((text) => scoreFor(query, text)) });
};

const count = async (exchange: Exchange, model: ModelScript): Promise<void> => {
  const { asked, house } = exchange;
  const perText = asked.texts?.map(countWords);
  const tokens = wordsOfMessages(asked.messages) + (perText ?? []).reduce((sum, words) => sum + words, 0);
  const window = house.isLoaded(model)?.window ?? model.window;
  return exchange.send(200, { tokens, ...(perText === undefined ? {} : { perText }), window });
};

const load = async (exchange: Exchange, model: ModelScript): Promise<void> => {
  const { asked, house, gone } = exchange;
  const loaded = await house.load(model, asked, gone);
  if ("refusal" in loaded) return exchange.refuse(loaded.refusal);
  return exchange.send(200, { model: loaded.id, window: loaded.window });
};

/** Brings the model into memory; true when that was refused, and said. */
const ready = async (exchange: Exchange, model: ModelScript): Promise<boolean> => {
  const loaded = await exchange.house.load(model, exchange.asked, exchange.gone);
  if (!("refusal" in loaded)) return false;
  await exchange.refuse(loaded.refusal);
  return true;
};

const pull = async (exchange: Exchange, name: string): Promise<void> => {
  const { house, gone } = exchange;
  const model = house.known(name);
  const writer = exchange.pieces(ndjson());
  if (model === undefined) {
    return writer.end([{ json: { type: "error", message: `nobody offers a model "${name}"` } }]);
  }
  const done = { json: { type: "done", name: model.id } };
  if (house.find(name) !== undefined) return writer.end([done]);
  await house.downloads.follow(
    model.id,
    house.nextPull,
    async (piece) => {
      if (piece.type === "reset") exchange.cut("reset");
      else if (piece.type === "done") {
        house.install(model.id);
        await writer.end([done]);
      } else if (piece.type === "error") await writer.end([{ json: piece }]);
      else await writer.write([{ json: piece }]);
    },
    gone,
  );
};
