import { createHash } from "node:crypto";

import type { ModelScript } from "../../scenario.ts";
import { playEmbed } from "../embedding.ts";
import type { Exchange } from "../http-fake.ts";
import { fieldsOf, listOf, numberOf, stringOf } from "../reading.ts";
import { create, pull } from "./bring.ts";
import { answerChat, loadedAnswer } from "./chat.ts";
import type { OllamaKind } from "./kind.ts";
import { running, show, tags } from "./models.ts";
import { isOnlyLoad } from "./read.ts";
import { missingModel, TOO_LONG } from "./refusals.ts";
import { windowFor } from "./window.ts";

const POSTS = new Set([
  "/api/show",
  "/api/chat",
  "/api/generate",
  "/api/embed",
  "/api/pull",
  "/api/create",
  "/api/copy",
]);
const GETS = new Set(["/", "/api/version", "/api/tags", "/api/ps"]);

/** Digests of the files that were uploaded, for each running server. */
const uploads = new WeakMap<Exchange["house"], Set<string>>();

export const answerOllama = async (exchange: Exchange, kind: OllamaKind): Promise<void> => {
  const { house, path, method, asked } = exchange;
  if (isForeign(exchange)) return exchange.send(403);
  const blobs = uploads.get(house) ?? new Set();
  uploads.set(house, blobs);

  if (path.startsWith("/api/blobs/")) return blob(exchange, path.slice("/api/blobs/".length), blobs);
  const isGet = method === "GET" || method === "HEAD";
  if (GETS.has(path) && isGet) {
    if (path === "/") return exchange.send(200, "Ollama is running");
    if (path === "/api/version")
      return exchange.send(200, { version: house.scenario.version ?? versionOf(kind, house.models) });
    return exchange.send(200, path === "/api/tags" ? tags(exchange, kind) : running(exchange));
  }
  const isDelete = path === "/api/delete";
  if (GETS.has(path) || (POSTS.has(path) && method !== "POST") || (isDelete && method !== "DELETE")) {
    return exchange.send(405, "405 method not allowed", { "content-type": "text/plain" });
  }
  if (!POSTS.has(path) && !isDelete) {
    return exchange.send(404, "404 page not found", { "content-type": "text/plain" });
  }
  if (exchange.text === "") return exchange.send(400, { error: "missing request body" });
  if (exchange.body === undefined) return exchange.send(400, { error: "unexpected EOF" });
  const wrong = wrongField(exchange);
  if (wrong !== undefined) return exchange.send(400, { error: wrong });

  const name = asked.model ?? "";
  if (path === "/api/copy") return copy(exchange, kind);
  if (name === "") return exchange.send(400, { error: "model is required" });
  if (path === "/api/pull") return pull(exchange, name);
  if (path === "/api/create") return create(exchange, name, blobs);
  const model = house.find(name);
  if (model === undefined || model.task === "rerank")
    return exchange.send(404, missingModel(name, path, kind));
  if (path === "/api/show") return exchange.send(200, show(model, kind));
  if (isDelete) {
    house.remove(model.id);
    return exchange.send(200);
  }
  if (path === "/api/embed") return embed(exchange, model, kind);
  return chat(exchange, model, kind);
};

const chat = async (exchange: Exchange, model: ModelScript, kind: OllamaKind): Promise<void> => {
  const refusal = unsupported(exchange, model, kind);
  if (refusal !== undefined) return exchange.send(refusal.status, { error: refusal.error });
  if (isOnlyLoad(`POST ${exchange.path}`, fieldsOf(exchange.body))) return loadOnly(exchange, model, kind);
  return answerChat(exchange, model, kind);
};

const loadOnly = async (exchange: Exchange, model: ModelScript, kind: OllamaKind): Promise<void> => {
  const { house, asked, gone } = exchange;
  if (asked.keepAliveMs === 0) {
    house.unload(model);
    return exchange.send(200, loadedAnswer(exchange, "unload"));
  }
  const wish = { window: windowFor(asked.window, model, kind), keepAliveMs: asked.keepAliveMs };
  const loaded = await house.load(model, wish, gone);
  if ("refusal" in loaded) return exchange.refuse(loaded.refusal);
  return exchange.send(200, loadedAnswer(exchange, "load"));
};

const embed = async (exchange: Exchange, model: ModelScript, kind: OllamaKind): Promise<void> => {
  const { house, asked, gone } = exchange;
  const body = fieldsOf(exchange.body);
  const { input } = body;
  const isInput =
    typeof input === "string" || (Array.isArray(input) && input.every((text) => typeof text === "string"));
  if (!isInput) return exchange.send(400, { error: "invalid input type" });
  if (model.task === "chat" && kind.generation === "new") {
    return exchange.send(501, {
      error: "This server does not support embeddings. Start it with `--embeddings`",
    });
  }
  if (input === "" || input.length === 0) {
    if (asked.keepAliveMs === 0) house.unload(model);
    else {
      const loaded = await house.load(model, { keepAliveMs: asked.keepAliveMs }, gone);
      if ("refusal" in loaded) return exchange.refuse(loaded.refusal);
    }
    return exchange.send(200, { model: asked.model ?? "", embeddings: [] });
  }
  const cuts = body["truncate"] !== false;
  const done = await playEmbed(exchange, model, house.nextEmbed(), {
    cuts,
    dimensions: numberOf(body["dimensions"]),
  });
  if (done === undefined) return;
  if ("problem" in done) return exchange.send(400, { error: TOO_LONG });
  if (asked.keepAliveMs === 0) house.unload(model);
  return exchange.send(200, {
    model: asked.model ?? "",
    embeddings: done.vectors,
    total_duration: 27_646_503,
    load_duration: 840_819,
    ...(done.tokens === undefined ? {} : { prompt_eval_count: done.tokens }),
  });
};

/** What this model or this server cannot do, worded as recorded. */
const unsupported = (
  { asked, body, path }: Exchange,
  model: ModelScript,
  kind: OllamaKind,
): { readonly status: number; readonly error: string } | undefined => {
  const name = asked.model ?? "";
  const { think, format } = fieldsOf(body);
  const refuse = (error: string, status = 400) => ({ status, error });
  if (model.task !== "chat") {
    return refuse(`"${name}" does not support ${path === "/api/generate" ? "generate" : "chat"}`);
  }
  if (typeof think === "string" && !["low", "medium", "high", "max"].includes(think)) {
    return refuse(
      `invalid think value: ${JSON.stringify(think)} (must be "high", "medium", "low", "max", true, or false)`,
    );
  }
  const thinks = model.features?.includes("reasoning") === true;
  if ((think === true || typeof think === "string") && !thinks)
    return refuse(`"${name}" does not support thinking`);
  if (typeof think === "string" && kind.generation === "0.13") {
    return refuse(`think value ${JSON.stringify(think)} is not supported for this model`);
  }
  if ((asked.tools ?? []).length > 0 && model.features?.includes("tools") !== true) {
    return refuse(`registry.example/library/${model.id}:latest does not support tools`);
  }
  if (typeof format === "string" && format !== "" && format !== "json") {
    const quoted = JSON.stringify(JSON.stringify(format));
    return refuse(`invalid format: ${quoted}; expected "json" or a valid JSON Schema object`, 500);
  }
  const wrong = wrongOption(fieldsOf(fieldsOf(body)["options"]));
  return wrong === undefined ? undefined : refuse(wrong, 500);
};

const OPTIONS: Readonly<Record<string, string>> = {
  temperature: "float32",
  top_p: "float32",
  min_p: "float32",
  repeat_penalty: "float32",
  presence_penalty: "float32",
  frequency_penalty: "float32",
  top_k: "integer",
  seed: "integer",
  num_ctx: "integer",
  num_predict: "integer",
};

const wrongOption = (options: Readonly<Record<string, unknown>>): string | undefined => {
  for (const [name, value] of Object.entries(options)) {
    const type = OPTIONS[name];
    if (type !== undefined && typeof value !== "number") return `option "${name}" must be of type ${type}`;
    if (name === "stop" && !Array.isArray(value)) return 'option "stop" must be of type array';
  }
  return undefined;
};

const wrongField = (exchange: Exchange): string | undefined => {
  const { messages, keep_alive: keepAlive } = fieldsOf(exchange.body);
  if (messages !== undefined && messages !== null && !Array.isArray(messages)) {
    const type = typeof messages === "string" ? "string" : typeof messages;
    return `json: cannot unmarshal ${type} into Go struct field ChatRequest.messages of type []api.Message`;
  }
  if (listOf(messages).some((message) => typeof fieldsOf(message)["content"] === "object")) {
    return "json: cannot unmarshal array into Go struct field ChatRequest.messages.content of type string";
  }
  if (Number.isNaN(exchange.asked.keepAliveMs)) {
    const problem = keepAlive === "" ? "invalid duration" : "missing unit in duration";
    return `time: ${problem} ${JSON.stringify(keepAlive)}`;
  }
  return undefined;
};

const copy = async (exchange: Exchange, kind: OllamaKind): Promise<void> => {
  const { source, destination } = fieldsOf(exchange.body);
  const model = exchange.house.find(source);
  if (model === undefined)
    return exchange.send(404, missingModel(stringOf(source) ?? "", exchange.path, kind));
  exchange.house.add({ ...model, id: stringOf(destination) ?? "" });
  return exchange.send(200);
};

const blob = async (exchange: Exchange, digest: string, blobs: Set<string>): Promise<void> => {
  if (exchange.method === "HEAD") return exchange.send(blobs.has(digest) ? 200 : 404);
  if (exchange.method !== "POST") {
    return exchange.send(405, "405 method not allowed", { "content-type": "text/plain" });
  }
  const known = blobs.has(digest);

  const found = `sha256:${createHash("sha256").update(exchange.bytes).digest("hex")}`;
  if (found !== digest) {
    return exchange.send(400, { error: `digest mismatch, expected "${digest}", got "${found}"` });
  }
  blobs.add(digest);
  return exchange.send(known ? 200 : 201);
};

/** A page from elsewhere must not use a server on this machine, and neither must a name that leads here. */
const isForeign = ({ headers }: Exchange): boolean => {
  const { origin, host = "" } = headers;
  if (origin !== undefined && !/^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/u.test(origin))
    return true;
  return !/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/u.test(host);
};

/** A server that forgets in silence though it was asked not to is one from before that could be asked. */
const versionOf = (kind: OllamaKind, models: readonly ModelScript[]): string => {
  if (models.some(({ forgets }) => forgets === true)) return "0.12.0";
  return kind.generation === "new" ? "0.0.0" : "0.13.5";
};
