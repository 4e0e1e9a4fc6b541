import type { ChatRequest, JsonObject, Message } from "@enginehouse/llm-core";

import type { ReferenceSettings } from "./settings.ts";

/** A chat in the words of the plain wire. */
export function encodeChat(request: ChatRequest, settings: ReferenceSettings): JsonObject {
  const { model, messages, tools = [], toolChoice, responseFormat, reasoning } = request;
  const withTools = tools.length > 0 && toolChoice !== "none";
  return defined({
    model,
    stream: true,
    overflow: "error",
    messages: messages.flatMap(encodeMessage),
    tools: withTools
      ? tools.map(({ name, description, inputSchema }) =>
          defined({ name, description, schema: inputSchema ?? { type: "object", properties: {} } }),
        )
      : undefined,
    toolChoice: withTools ? toolChoice : undefined,
    schema: responseFormat?.type === "json" ? (responseFormat.schema ?? true) : undefined,
    think: reasoning,
    options: encodeOptions(request),
    window: settings.contextWindow,
    keepAliveMs: encodeKeepAlive(request.keepAlive, settings),
    ...request.providerOptions?.["reference"],
  });
}

export function encodeOptions(request: ChatRequest): JsonObject {
  const { temperature, topP, topK, minP, seed, stop, maxTokens } = request;
  const { frequencyPenalty, presencePenalty, repeatPenalty } = request;
  return defined({
    temperature,
    topP,
    topK,
    minP,
    seed,
    stop,
    maxTokens,
    frequencyPenalty,
    presencePenalty,
    repeatPenalty,
  });
}

/** JSON has no word for ever: the wire says -1. */
export function encodeKeepAlive(
  keepAlive: number | undefined,
  settings: ReferenceSettings,
): number | undefined {
  const ms = keepAlive ?? settings.keepAliveMs;
  return ms === Number.POSITIVE_INFINITY ? -1 : ms;
}

export function encodeMessage({ role, content }: Message): readonly JsonObject[] {
  if (role === "tool") {
    return content.map(({ id, name, output, isError }) =>
      defined({ role, id, name, text: textOf(output), failed: isError }),
    );
  }
  if (typeof content === "string") return [{ role, text: content }];
  const calls = content.flatMap((part) =>
    part.type === "tool-call" ? [{ id: part.id, name: part.name, input: part.input }] : [],
  );
  const images = content.flatMap((part) =>
    part.type === "file"
      ? [{ mediaType: part.mediaType, base64: Buffer.from(part.data).toString("base64") }]
      : [],
  );
  const thoughts = content.map((part) => (part.type === "reasoning" ? part.text : "")).join("");
  return [
    defined({
      role,
      text: content.map((part) => (part.type === "text" ? part.text : "")).join(""),
      reasoning: thoughts === "" ? undefined : thoughts,
      calls: calls.length === 0 ? undefined : calls,
      images: images.length === 0 ? undefined : images,
    }),
  ];
}

const textOf = (output: unknown): string => (typeof output === "string" ? output : JSON.stringify(output));

/** Without the fields that are undefined. */
export function defined(fields: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as JsonObject;
}
