import type { JsonObject, ModelTask } from "@enginehouse/llm-core";

import type { ModelScript } from "../../scenario.ts";
import { playEmbed } from "../embedding.ts";
import type { Exchange } from "../http-fake.ts";
import { beginChat, streamChat } from "../play-chat.ts";
import { fieldsOf, numberOf, stringOf } from "../reading.ts";
import { countWords, scoreFor, wordsOfMessages, wordsOfTexts } from "../words.ts";
import { chatInOnePiece, chatWords } from "./chat.ts";
import type { OpenaiKind } from "./kind.ts";
import { modelCard, modelList, props, slots } from "./models.ts";
import { modelPath, routeOf } from "./read.ts";
import { errorBody, missing, overflow, tooLong } from "./refusals.ts";
import type { Trouble } from "./refusals.ts";
import { responseInOnePiece, responseWords } from "./responses.ts";

export const answerOpenai = async (exchange: Exchange, kind: OpenaiKind): Promise<void> => {
  const route = routeOf(exchange);
  const name = modelPath(route);
  if (name !== undefined && kind !== "llama-server") {
    const model = exchange.house.find(name);
    return model === undefined
      ? refuse(exchange, 404, missing(name, kind), kind)
      : exchange.send(200, modelCard(model, kind));
  }
  if (route === "GET /models") return exchange.send(200, modelList(exchange, kind));
  const isResponse = route === "POST /responses";
  if (isResponse || route === "POST /chat/completions") return chat(exchange, kind, isResponse);
  if (route === "POST /embeddings") return embed(exchange, kind);
  if (route === "POST /responses/input_tokens" && kind !== "ollama") return countInput(exchange);
  const own = kind === "llama-server" ? LLAMA_SERVER[route] : undefined;
  if (own !== undefined) return own(exchange);
  if (kind === "llama-server") {
    return refuse(exchange, 404, { message: "File Not Found", type: "not_found_error" }, kind);
  }
  const message = `Invalid URL (${exchange.method} ${exchange.path})`;
  return refuse(exchange, 404, { message, type: "invalid_request_error" }, kind);
};

const refuse = (exchange: Exchange, status: number, trouble: Trouble, kind: OpenaiKind): Promise<void> =>
  exchange.send(status, errorBody(status, trouble, kind));

const chat = async (exchange: Exchange, kind: OpenaiKind, isResponse: boolean): Promise<void> => {
  const { house, asked, gone } = exchange;
  const wrong = wrongRequest(exchange, kind, isResponse);
  if (wrong !== undefined) return refuse(exchange, wrong.status, wrong, kind);
  const model = modelFor(exchange, kind, "chat");
  if (model === undefined) return refuse(exchange, 404, missing(asked.model ?? "", kind), kind);
  if (model.task !== "chat") return refuse(exchange, ...noChat(model.id, kind), kind);
  const sees = model.features?.includes("vision") === true;
  if (!sees && asked.messages?.some((message) => message.images !== undefined) === true) {
    return refuse(exchange, kind === "llama-server" ? 500 : 400, noImages(kind), kind);
  }
  const script = house.nextChat();
  await exchange.generate(async () => {
    const refusal = await beginChat(exchange, script);
    if (refusal !== undefined) return exchange.refuse(refusal);
    const loaded = await house.load(model, {}, gone);
    if ("refusal" in loaded) return exchange.refuse(loaded.refusal);
    const tokens = wordsOfMessages(asked.messages);
    const window = loaded.window;
    if (tokens > window) return refuse(exchange, 400, overflow(tokens, window, kind), kind);
    const prompt = { tokens, room: window - tokens };
    const name = kind === "llama-server" ? model.id : (asked.model ?? model.id);
    if (asked.stream === true) {
      const words = isResponse ? responseWords(kind, name) : chatWords(exchange, kind, name);
      return streamChat(exchange, script, words, prompt);
    }
    const inOnePiece = isResponse ? responseInOnePiece : chatInOnePiece;
    return inOnePiece(exchange, script, prompt, { kind, model: name });
  });
};

/** A server with one model does not look at the name. */
const modelFor = ({ house, asked }: Exchange, kind: OpenaiKind, task: ModelTask): ModelScript | undefined => {
  const named = house.find(asked.model);
  if (named !== undefined || kind !== "llama-server") return named;
  return house.models.find((model) => model.task === task) ?? house.models[0];
};

const embed = async (exchange: Exchange, kind: OpenaiKind): Promise<void> => {
  const { house, asked } = exchange;
  const { input, encoding_format: encoding, dimensions } = fieldsOf(exchange.body);
  const model = modelFor(exchange, kind, "embedding");
  if (model === undefined) return refuse(exchange, 404, missing(asked.model ?? "", kind), kind);
  if (model.task !== "embedding") return refuse(exchange, ...noEmbeddings(model.id, kind), kind);
  if (Array.isArray(input) && input.length === 0) {
    return refuse(
      exchange,
      400,
      { message: '"input" must not be empty', type: "invalid_request_error" },
      kind,
    );
  }
  const done = await playEmbed(exchange, model, house.nextEmbed(), {
    // llama-server does not know the field.
    dimensions: kind === "llama-server" ? undefined : numberOf(dimensions),
  });
  if (done === undefined) return;
  if ("problem" in done) {
    const { problem } = done;
    if (problem.type === "too-long") {
      const status = kind === "llama-server" ? 500 : 400;
      return refuse(exchange, status, tooLong(problem.tokens, problem.limit, kind), kind);
    }
    const message = `Invalid 'input': array too long. Expected an array with maximum length ${problem.limit}, but got an array with length ${asked.texts?.length ?? 0} instead.`;
    const trouble = {
      message,
      type: "invalid_request_error",
      param: "input",
      code: "array_above_max_length",
    };
    return refuse(exchange, 400, trouble, kind);
  }
  const base64 = encoding === "base64";
  const usage: JsonObject =
    done.tokens === undefined ? {} : { usage: { prompt_tokens: done.tokens, total_tokens: done.tokens } };
  return exchange.send(200, {
    object: "list",
    model: kind === "llama-server" ? model.id : (asked.model ?? model.id),
    ...usage,
    data: done.vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: base64 ? inBase64(vector) : vector,
      ...(base64 && kind === "llama-server" ? { encoding_format: "base64" } : {}),
    })),
  });
};

const countInput = ({ asked, send }: Exchange): Promise<void> =>
  send(200, { input_tokens: wordsOfMessages(asked.messages), object: "response.input_tokens" });

/** Little-endian floats; what is no number stays none. */
const inBase64 = (vector: readonly (number | null)[]): string => {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [place, value] of vector.entries()) bytes.writeFloatLE(value ?? Number.NaN, place * 4);
  return bytes.toString("base64");
};

const LLAMA_SERVER: Readonly<Record<string, (exchange: Exchange) => Promise<void>>> = {
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

/** What is wrong with a request before anybody looks for its model. */
const wrongRequest = (
  { text, body, asked }: Exchange,
  kind: OpenaiKind,
  isResponse: boolean,
): (Trouble & { readonly status: number }) | undefined => {
  const invalid = (message: string, param?: string) => ({
    status: 400,
    message,
    type: "invalid_request_error",
    param,
  });
  if (body === undefined) {
    if (kind !== "llama-server") return invalid(text === "" ? "missing request body" : "unexpected EOF");
    const message = `[json.exception.parse_error.101] parse error at line 1, column ${text.length + 1}: syntax error while parsing value - unexpected end of input; expected '[', '{', or a literal`;
    return { status: 500, message, type: "server_error" };
  }
  const fields = fieldsOf(body);
  const field = isResponse ? "input" : "messages";
  if (asked.messages === undefined) {
    return invalid(
      kind === "openai" ? `Missing required parameter: '${field}'.` : `'${field}' is required`,
      field,
    );
  }
  if (asked.model === undefined && kind === "openai")
    return invalid("you must provide a model parameter", "model");
  for (const name of NUMBERS) {
    const value = fields[name];
    if (value === undefined || value === null || typeof value === "number") continue;
    return invalid(
      kind === "llama-server"
        ? `Field '${name}': [json.exception.type_error.302] type must be number, but is ${typeof value}`
        : `Invalid type for '${name}': expected a number, but got a ${typeof value} instead.`,
      name,
    );
  }
  return undefined;
};

const NUMBERS = [
  "temperature",
  "top_p",
  "max_tokens",
  "max_completion_tokens",
  "max_output_tokens",
  "seed",
  "frequency_penalty",
  "presence_penalty",
] as const;

const noChat = (model: string, kind: OpenaiKind): [status: number, trouble: Trouble] => {
  if (kind === "llama-server") {
    const message = "the current context does not support logits computation. skipping";
    return [500, { message, type: "server_error" }];
  }
  if (kind === "ollama")
    return [400, { message: `"${model}" does not support chat`, type: "invalid_request_error" }];
  const message = "This is not a chat model and thus not supported in the v1/chat/completions endpoint.";
  return [404, { message, type: "invalid_request_error", param: "model" }];
};

const noEmbeddings = (model: string, kind: OpenaiKind): [status: number, trouble: Trouble] => {
  if (kind === "openai") {
    const message = `You are not allowed to generate embeddings from this model: ${model}`;
    return [403, { message, type: "invalid_request_error" }];
  }
  const message = "This server does not support embeddings. Start it with `--embeddings`";
  return [501, { message, type: kind === "ollama" ? "api_error" : "not_supported_error" }];
};

const noImages = (kind: OpenaiKind): Trouble => ({
  message:
    kind === "llama-server"
      ? "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
      : "Invalid content type. image_url is only supported by certain models.",
  type: kind === "llama-server" ? "server_error" : "invalid_request_error",
});
