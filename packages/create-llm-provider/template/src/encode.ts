import { type ChatRequest, type JsonObject, LlmError, type Message } from "@enginehouse/llm-core";

/** Our request in the server's words. Pure: the request is read, never changed. */
export function encodeChat(request: ChatRequest): JsonObject {
  const { tools = [], toolChoice, responseFormat, providerOptions } = request;
  return compact({
    model: request.model,
    messages: request.messages.flatMap(encodeMessage),
    // "none" leaves the tools out: a model that sees them may call them all the same.
    tools: tools.length === 0 || toolChoice === "none" ? undefined : tools.map(encodeTool),
    toolChoice: tools.length === 0 || toolChoice === "none" ? undefined : toolChoice,
    schema: responseFormat?.type === "json" ? (responseFormat.schema ?? true) : undefined,
    think: request.reasoning,
    options: compact({
      temperature: request.temperature,
      topP: request.topP,
      topK: request.topK,
      minP: request.minP,
      seed: request.seed,
      stop: request.stop,
      maxTokens: request.maxTokens,
      frequencyPenalty: request.frequencyPenalty,
      presencePenalty: request.presencePenalty,
      repeatPenalty: request.repeatPenalty,
    }),
    keepAliveMs: keepAlive(request.keepAlive),
    // What does not fit is an error, never cut in silence.
    overflow: "error",
    ...providerOptions?.["acme"],
  });
}

/** `Infinity` has no word in JSON; this server says -1. */
export const keepAlive = (ms: number | undefined): number | undefined =>
  ms === Number.POSITIVE_INFINITY ? -1 : ms;

function encodeTool({
  name,
  description,
  inputSchema,
}: NonNullable<ChatRequest["tools"]>[number]): JsonObject {
  return compact({ name, description, schema: inputSchema ?? { type: "object", properties: {} } });
}

function encodeMessage(message: Message): JsonObject[] {
  const { role, content } = message;
  if (typeof content === "string") return [{ role, text: content }];
  if (message.role === "tool") {
    return message.content.map(({ id, name, output, isError }) =>
      compact({
        role,
        id,
        name,
        text: typeof output === "string" ? output : JSON.stringify(output),
        failed: isError === true ? true : undefined,
      }),
    );
  }
  const texts: string[] = [];
  const reasoning: string[] = [];
  const calls: JsonObject[] = [];
  for (const part of content) {
    if (part.type === "text") texts.push(part.text);
    else if (part.type === "reasoning") reasoning.push(part.text);
    else if (part.type === "tool-call") calls.push({ id: part.id, name: part.name, input: part.input });
    // The core has refused files already, for the manifest does not name `vision`.
    else throw new LlmError("unsupported", `acme takes no ${part.type} parts`);
  }
  return [
    compact({
      role,
      text: texts.join(""),
      reasoning: reasoning.length === 0 ? undefined : reasoning.join(""),
      calls: calls.length === 0 ? undefined : calls,
    }),
  ];
}

/** Without the fields that are not set: what is `undefined` is not sent. */
function compact(fields: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as JsonObject;
}
