import type { Exchange } from "../http-fake.ts";
import { beginChat, streamChat } from "../play-chat.ts";
import { fieldsOf } from "../reading.ts";
import { wordsOfMessages } from "../words.ts";
import { chatInOnePiece, chatWords } from "./chat.ts";
import { embed } from "./embed.ts";
import type { OpenaiKind } from "./kind.ts";
import { LLAMA_SERVER } from "./llama-server.ts";
import { modelCard, modelList } from "./models.ts";
import { modelPath, routeOf } from "./read.ts";
import { missing, overflow } from "./refusals.ts";
import type { Trouble } from "./refusals.ts";
import { countInput, modelFor, refuse } from "./replies.ts";
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
    // Compatible servers cut in silence; the API itself does not.
    const cuts = model.forgets === true;
    if (tokens > window && !cuts) return refuse(exchange, 400, overflow(tokens, window, kind), kind);
    const prompt = cuts ? { tokens: Math.min(tokens, window) } : { tokens, room: window - tokens };
    const name = kind === "llama-server" ? model.id : (asked.model ?? model.id);
    if (asked.stream === true) {
      const words = isResponse ? responseWords(kind, name) : chatWords(exchange, kind, name);
      return streamChat(exchange, script, words, prompt);
    }
    const inOnePiece = isResponse ? responseInOnePiece : chatInOnePiece;
    return inOnePiece(exchange, script, prompt, { kind, model: name });
  });
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

const noImages = (kind: OpenaiKind): Trouble => ({
  message:
    kind === "llama-server"
      ? "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
      : "Invalid content type. image_url is only supported by certain models.",
  type: kind === "llama-server" ? "server_error" : "invalid_request_error",
});
