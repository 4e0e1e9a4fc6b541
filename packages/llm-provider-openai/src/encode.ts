import { type ChatRequest, type EmbedRequest, type JsonObject, LlmError } from "@enginehouse/llm-core";
import {
  chatOnly,
  encodeChat,
  encodeKeepAlive,
  type Encoded,
  encodeResponses,
  mergeOwn,
  type Quirks,
} from "@enginehouse/llm-openai-dialect";

import type { Connection, OpenaiSettings } from "./settings.ts";

/** The plugin's own name among a request's `providerOptions`: its value goes into the body as it is. */
const OWN = "openai";

export interface EncodedCall extends Encoded {
  readonly api: "chat" | "responses";
  readonly path: string;
}

export function encodeRequest(
  request: ChatRequest,
  { preset, quirks: known, thoughtless }: Connection,
  { api = "auto" }: OpenaiSettings,
): EncodedCall {
  const own = request.providerOptions?.[OWN];
  const chosen = api === "auto" ? usualApi(request, preset.api) : api;
  const quirks = thoughtless.has(request.model) ? { ...known, encryptedReasoning: false } : known;
  const options = { quirks, own, path: `providerOptions.${OWN}` };
  return chosen === "chat"
    ? { api: chosen, path: "/chat/completions", ...encodeChat(request, options) }
    : { api: chosen, path: "/responses", ...encodeResponses(request, options) };
}

/** What Responses cannot say is no reason to refuse a request that Chat Completions takes. */
function usualApi(request: ChatRequest, usual: "chat" | "responses" = "chat"): "chat" | "responses" {
  return usual === "responses" && (chatOnly(request).length > 0 || hasSound(request)) ? "chat" : usual;
}

const hasSound = ({ messages }: ChatRequest): boolean =>
  messages.some(
    ({ role, content }) =>
      role === "user" &&
      typeof content !== "string" &&
      content.some((part) => part.type === "file" && part.mediaType.startsWith("audio/")),
  );

/** What of a request for embeddings goes into every batch of it, and its texts with their prefixes. */
export function encodeTexts(
  { model, texts, purpose, keepAlive, providerOptions }: EmbedRequest,
  { prefixes = {} }: OpenaiSettings,
  quirks: Quirks,
): { readonly texts: readonly string[]; readonly own: JsonObject } {
  const prefix = (purpose && prefixes[model]?.[purpose]) ?? "";
  const lack = (_: string, message: string): never => {
    throw new LlmError("unsupported", message, { hint: "leave keepAlive out" });
  };
  return {
    texts: prefix === "" ? texts : texts.map((text) => prefix + text),
    own: mergeOwn(
      encodeKeepAlive(keepAlive, quirks, lack),
      providerOptions?.[OWN],
      `providerOptions.${OWN}`,
    ) as JsonObject,
  };
}
