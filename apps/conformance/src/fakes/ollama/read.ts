import type { Asked, AskedMessage, SeenRequest } from "../../backend.ts";
import type { RequestHead } from "../http-fake.ts";
import { booleanOf, fieldsOf, listOf, numberOf, said, stringOf, textsOf } from "../reading.ts";
import type { Fields } from "../reading.ts";

const OPERATIONS: Readonly<Record<string, SeenRequest["operation"]>> = {
  "GET /": "health",
  "HEAD /": "health",
  "GET /api/version": "health",
  "GET /api/tags": "list",
  "POST /api/show": "describe",
  "GET /api/ps": "loaded",
  "POST /api/chat": "chat",
  "POST /api/generate": "chat",
  "POST /api/embed": "embed",
  "POST /api/pull": "pull",
  "DELETE /api/delete": "delete",
};

export const readOllama = (
  request: RequestHead,
): { readonly operation: SeenRequest["operation"]; readonly asked: Asked } => {
  const route = `${request.method} ${request.path}`;
  const body = fieldsOf(request.body);
  const asked = askedOf(route, body);
  return { operation: operationOf(route, body, asked), asked };
};

/** Without messages, prompt or texts a request only loads the model, or with a keep-alive of 0 unloads it. */
export const isOnlyLoad = (route: string, body: Fields): boolean => {
  if (route === "POST /api/chat") return listOf(body["messages"]).length === 0;
  if (route === "POST /api/generate") return (stringOf(body["prompt"]) ?? "") === "";
  return route === "POST /api/embed" && Array.isArray(body["input"]) && body["input"].length === 0;
};

/** Milliseconds; a number is seconds, a text is a duration as Go writes it. NaN: it is neither. */
export const durationOf = (value: unknown): number | undefined => {
  if (typeof value === "number") return value < 0 ? Infinity : value * 1_000;
  if (typeof value !== "string") return undefined;
  if (value === "0") return 0;
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/gu)];
  const negative = value.startsWith("-");
  if (parts.map(([part]) => part).join("") !== value.replace(/^-/u, "") || parts.length === 0)
    return Number.NaN;
  const total = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0), 0);
  return negative ? Infinity : total;
};

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

const operationOf = (route: string, body: Fields, asked: Asked): SeenRequest["operation"] => {
  if (isOnlyLoad(route, body)) return asked.keepAliveMs === 0 ? "unload" : "load";
  return OPERATIONS[route] ?? "other";
};

const askedOf = (route: string, body: Fields): Asked => {
  const options = fieldsOf(body["options"]);
  const prompt = stringOf(body["prompt"]);
  const fromPrompt = prompt === undefined ? undefined : [{ role: "user", text: prompt }];
  const { think, format, input } = body;
  return said<Asked>({
    model: stringOf(body["model"]) ?? stringOf(body["name"]),
    stream: route.startsWith("POST /api/") ? (booleanOf(body["stream"]) ?? true) : undefined,
    messages: Array.isArray(body["messages"]) ? body["messages"].map(message) : fromPrompt,
    tools: Array.isArray(body["tools"]) ? body["tools"].map(tool) : undefined,
    schema: format === "json" ? true : format,
    reasoning:
      typeof think === "boolean" || think === "low" || think === "medium" || think === "high"
        ? think
        : undefined,
    temperature: numberOf(options["temperature"]),
    topP: numberOf(options["top_p"]),
    topK: numberOf(options["top_k"]),
    minP: numberOf(options["min_p"]),
    seed: numberOf(options["seed"]),
    stop: options["stop"],
    maxTokens: numberOf(options["num_predict"]),
    frequencyPenalty: numberOf(options["frequency_penalty"]),
    presencePenalty: numberOf(options["presence_penalty"]),
    repeatPenalty: numberOf(options["repeat_penalty"]),
    window: numberOf(options["num_ctx"]),
    keepAliveMs: durationOf(body["keep_alive"]),
    texts: inputTexts(input),
  });
};

const inputTexts = (input: unknown): readonly string[] | undefined => {
  if (typeof input === "string") return [input];
  return Array.isArray(input) ? textsOf(input) : undefined;
};

const message = (value: unknown): AskedMessage => {
  const fields = fieldsOf(value);
  const isTool = fields["role"] === "tool";
  return said<AskedMessage>({
    role: stringOf(fields["role"]) ?? "",
    text: stringOf(fields["content"]) ?? "",
    reasoning: stringOf(fields["thinking"]),
    calls: Array.isArray(fields["tool_calls"]) ? fields["tool_calls"].map(call) : undefined,
    answers: isTool
      ? said({ id: stringOf(fields["tool_call_id"]), name: stringOf(fields["tool_name"]) })
      : undefined,
    images: Array.isArray(fields["images"]) ? fields["images"].length : undefined,
  });
};

const call = (value: unknown): { readonly id?: string; readonly name: string; readonly input: unknown } => {
  const fields = fieldsOf(value);
  const described = fieldsOf(fields["function"]);
  const id = stringOf(fields["id"]);
  return {
    ...(id === undefined ? {} : { id }),
    name: stringOf(described["name"]) ?? "",
    input: described["arguments"],
  };
};

const tool = (value: unknown): { readonly name: string; readonly schema: unknown } => {
  const described = fieldsOf(fieldsOf(value)["function"]);
  return { name: stringOf(described["name"]) ?? "", schema: described["parameters"] };
};
