import type { Asked, AskedMessage, SeenRequest } from "../../backend.ts";
import type { RequestHead } from "../http-fake.ts";
import { booleanOf, fieldsOf, listOf, numberOf, said, stringOf, textsOf } from "../reading.ts";
import type { Fields } from "../reading.ts";

const OPERATIONS: Readonly<Record<string, SeenRequest["operation"]>> = {
  "GET /health": "health",
  "GET /models": "list",
  "GET /props": "describe",
  "POST /chat/completions": "chat",
  "POST /responses": "chat",
  "POST /embeddings": "embed",
  "POST /rerank": "rerank",
  "POST /tokenize": "count",
  "POST /apply-template": "count",
  "POST /chat/completions/input_tokens": "count",
  "POST /responses/input_tokens": "count",
};

/** The path without the version, which some servers do without. */
export const routeOf = ({ method, path }: Pick<RequestHead, "method" | "path">): string =>
  `${method} ${path.replace(/^\/v1(?=\/)/u, "")}`;

export const modelPath = (route: string): string | undefined =>
  route.startsWith("GET /models/") ? decodeURIComponent(route.slice("GET /models/".length)) : undefined;

export const readOpenai = (
  request: RequestHead,
): { readonly operation: SeenRequest["operation"]; readonly asked: Asked } => {
  const route = routeOf(request);
  const model = modelPath(route);
  if (model !== undefined) return { operation: "describe", asked: { model } };
  const operation = OPERATIONS[route] ?? "other";
  const body = fieldsOf(request.body);
  const isChat = operation === "chat";
  const asked = said<Asked>({
    model: stringOf(body["model"]),
    stream: isChat ? (booleanOf(body["stream"]) ?? false) : undefined,
    messages: route.includes("/responses") ? fromInput(body) : messagesOf(body),
    tools: Array.isArray(body["tools"]) ? body["tools"].map(tool) : undefined,
    toolChoice: toolChoice(body["tool_choice"]),
    schema: schema(body),
    reasoning: reasoning(body),
    temperature: numberOf(body["temperature"]),
    topP: numberOf(body["top_p"]),
    topK: numberOf(body["top_k"]),
    minP: numberOf(body["min_p"]),
    seed: numberOf(body["seed"]),
    stop: body["stop"],
    maxTokens:
      numberOf(body["max_completion_tokens"]) ??
      numberOf(body["max_tokens"]) ??
      numberOf(body["max_output_tokens"]),
    frequencyPenalty: numberOf(body["frequency_penalty"]),
    presencePenalty: numberOf(body["presence_penalty"]),
    repeatPenalty: numberOf(body["repeat_penalty"]),
    texts: texts(route, body),
  });
  return { operation, asked };
};

const messagesOf = (body: Fields): AskedMessage[] | undefined =>
  Array.isArray(body["messages"]) ? body["messages"].map(message) : undefined;

const message = (value: unknown): AskedMessage => {
  const fields = fieldsOf(value);
  const { content } = fields;
  const isTool = fields["role"] === "tool";
  const images = listOf(content).filter((part) => fieldsOf(part)["type"] === "image_url").length;
  return said<AskedMessage>({
    role: stringOf(fields["role"]) ?? "",
    text: textOf(content),
    reasoning: stringOf(fields["reasoning_content"]) ?? stringOf(fields["reasoning"]),
    calls: Array.isArray(fields["tool_calls"]) ? fields["tool_calls"].map(call) : undefined,
    answers: isTool
      ? said({ id: stringOf(fields["tool_call_id"]), name: stringOf(fields["name"]) })
      : undefined,
    images: images === 0 ? undefined : images,
  });
};

/** The items of a response's input, as messages. */
const fromInput = (body: Fields): AskedMessage[] | undefined => {
  const { input, instructions } = body;
  if (input === undefined) return undefined;
  const system = typeof instructions === "string" ? [{ role: "system", text: instructions }] : [];
  if (typeof input === "string") return [...system, { role: "user", text: input }];
  return [...system, ...listOf(input).map(item)];
};

const item = (value: unknown): AskedMessage => {
  const fields = fieldsOf(value);
  const id = stringOf(fields["call_id"]);
  switch (fields["type"]) {
    case "function_call": {
      const made = said({ id, name: stringOf(fields["name"]) ?? "", input: parsed(fields["arguments"]) });
      return { role: "assistant", text: "", calls: [made] };
    }
    case "function_call_output":
      return { role: "tool", text: textOf(fields["output"]), answers: said({ id }) };
    case "reasoning":
      return {
        role: "assistant",
        text: "",
        reasoning: `${textOf(fields["summary"])}${textOf(fields["content"])}`,
      };
    default: {
      const images = listOf(fields["content"]).filter(
        (part) => fieldsOf(part)["type"] === "input_image",
      ).length;
      return said<AskedMessage>({
        role: stringOf(fields["role"]) ?? "",
        text: textOf(fields["content"]),
        images: images === 0 ? undefined : images,
      });
    }
  }
};

const textOf = (content: unknown): string =>
  typeof content === "string"
    ? content
    : listOf(content)
        .map((part) => stringOf(fieldsOf(part)["text"]) ?? "")
        .join("");

const call = (value: unknown): { readonly id?: string; readonly name: string; readonly input: unknown } => {
  const fields = fieldsOf(value);
  const described = fieldsOf(fields["function"]);
  const id = stringOf(fields["id"]);
  return {
    ...(id === undefined ? {} : { id }),
    name: stringOf(described["name"]) ?? "",
    input: parsed(described["arguments"]),
  };
};

/** Arguments travel as text; what is no JSON stays text. */
const parsed = (value: unknown): unknown => {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
};

const tool = (value: unknown): { readonly name: string; readonly schema: unknown } => {
  const fields = fieldsOf(value);
  const described = fields["function"] === undefined ? fields : fieldsOf(fields["function"]);
  return { name: stringOf(described["name"]) ?? "", schema: described["parameters"] };
};

const toolChoice = (value: unknown): Asked["toolChoice"] => {
  if (value === "auto" || value === "none" || value === "required") return value;
  const fields = fieldsOf(value);
  const name = stringOf(fieldsOf(fields["function"])["name"]) ?? stringOf(fields["name"]);
  return name === undefined ? undefined : { name };
};

const schema = (body: Fields): unknown => {
  const format = fieldsOf(body["response_format"] ?? fieldsOf(body["text"])["format"]);
  if (format["type"] === "json_object") return true;
  if (format["type"] !== "json_schema") return undefined;
  return format["schema"] ?? fieldsOf(format["json_schema"])["schema"];
};

const reasoning = (body: Fields): Asked["reasoning"] => {
  const effort = body["reasoning_effort"] ?? fieldsOf(body["reasoning"])["effort"];
  if (effort === "none" || effort === "low" || effort === "medium" || effort === "high") return effort;
  return booleanOf(fieldsOf(body["chat_template_kwargs"])["enable_thinking"]);
};

const texts = (route: string, body: Fields): readonly string[] | undefined => {
  if (route === "POST /rerank") return textsOf(body["documents"]);
  if (route === "POST /tokenize") return typeof body["content"] === "string" ? [body["content"]] : undefined;
  if (route !== "POST /embeddings") return undefined;
  const { input } = body;
  return typeof input === "string" ? [input] : textsOf(input);
};
