import type { Asked, AskedMessage, SeenRequest } from "../../backend.ts";
import type { RequestHead } from "../http-fake.ts";
import { booleanOf, fieldsOf, numberOf, said, stringOf, textsOf } from "../reading.ts";

const OPERATIONS: Readonly<Record<string, SeenRequest["operation"]>> = {
  "GET /health": "health",
  "GET /models": "list",
  "POST /chat": "chat",
  "POST /embed": "embed",
  "POST /rerank": "rerank",
  "POST /count": "count",
  "POST /pull": "pull",
  "POST /load": "load",
  "POST /unload": "unload",
  "GET /loaded": "loaded",
};

const MODEL_OPERATIONS: Readonly<Record<string, SeenRequest["operation"]>> = {
  GET: "describe",
  DELETE: "delete",
};

export const modelPath = (path: string): string | undefined =>
  path.startsWith("/models/") ? decodeURIComponent(path.slice("/models/".length)) : undefined;

export const readPlain = (
  request: RequestHead,
): { readonly operation: SeenRequest["operation"]; readonly asked: Asked } => {
  const name = modelPath(request.path);
  if (name !== undefined) {
    return { operation: MODEL_OPERATIONS[request.method] ?? "other", asked: { model: name } };
  }
  const operation = OPERATIONS[`${request.method} ${request.path}`] ?? "other";
  const body = fieldsOf(request.body);
  const options = fieldsOf(body["options"]);
  const messages = Array.isArray(body["messages"]) ? body["messages"].map(message) : undefined;
  const keepAliveMs = numberOf(body["keepAliveMs"]);
  const asked = said<Asked>({
    model: stringOf(body["model"]),
    stream: operation === "chat" ? (booleanOf(body["stream"]) ?? true) : undefined,
    messages,
    tools: Array.isArray(body["tools"]) ? body["tools"].map(tool) : undefined,
    toolChoice: toolChoice(body["toolChoice"]),
    schema: body["schema"],
    reasoning: reasoning(body["think"]),
    temperature: numberOf(options["temperature"]),
    topP: numberOf(options["topP"]),
    topK: numberOf(options["topK"]),
    minP: numberOf(options["minP"]),
    seed: numberOf(options["seed"]),
    stop: options["stop"],
    maxTokens: numberOf(options["maxTokens"]),
    frequencyPenalty: numberOf(options["frequencyPenalty"]),
    presencePenalty: numberOf(options["presencePenalty"]),
    repeatPenalty: numberOf(options["repeatPenalty"]),
    window: numberOf(body["window"]),
    keepAliveMs: keepAliveMs !== undefined && keepAliveMs < 0 ? Infinity : keepAliveMs,
    texts: Array.isArray(body["texts"]) ? textsOf(body["texts"]) : undefined,
  });
  return { operation, asked };
};

const message = (value: unknown): AskedMessage => {
  const fields = fieldsOf(value);
  const isTool = fields["role"] === "tool";
  return said<AskedMessage>({
    role: stringOf(fields["role"]) ?? "",
    text: stringOf(fields["text"]) ?? "",
    reasoning: stringOf(fields["reasoning"]),
    calls: Array.isArray(fields["calls"]) ? fields["calls"].map(call) : undefined,
    answers: isTool ? said({ id: stringOf(fields["id"]), name: stringOf(fields["name"]) }) : undefined,
    images: Array.isArray(fields["images"]) ? fields["images"].length : undefined,
  });
};

const call = (value: unknown): { readonly id?: string; readonly name: string; readonly input: unknown } => {
  const fields = fieldsOf(value);
  const id = stringOf(fields["id"]);
  return {
    ...(id === undefined ? {} : { id }),
    name: stringOf(fields["name"]) ?? "",
    input: fields["input"],
  };
};

const tool = (value: unknown): { readonly name: string; readonly schema: unknown } => {
  const fields = fieldsOf(value);
  return { name: stringOf(fields["name"]) ?? "", schema: fields["schema"] };
};

const toolChoice = (value: unknown): Asked["toolChoice"] => {
  if (value === "auto" || value === "none" || value === "required") return value;
  const name = stringOf(fieldsOf(value)["name"]);
  return name === undefined ? undefined : { name };
};

const reasoning = (value: unknown): Asked["reasoning"] =>
  value === "none" || value === "low" || value === "medium" || value === "high" ? value : undefined;
