import { type CallOptions, fromBatches, type Host, type Provider } from "@enginehouse/llm-core";
import {
  callJson,
  createHttpTransport,
  type Endpoint,
  readVectors,
  streamLines,
} from "@enginehouse/llm-wire";

import { createDecoder } from "./decode.ts";
import { encodeChat, keepAlive } from "./encode.ts";
import { readFault } from "./errors.ts";
import { describe, modelInfo } from "./models.ts";
import { type AcmeSettings, connectionOf } from "./settings.ts";
import type { WireEmbeddings, WireModel } from "./wire.ts";

type Operations = "stream" | "embed" | "health" | "listModels" | "describeModel";
export type AcmeProvider = Provider & Required<Pick<Provider, Operations>>;

/** Encode, call, decode, and nothing else: retries, caching and routing live above a provider. */
export function createAcme(settings: AcmeSettings, host: Host): AcmeProvider {
  const transport = createHttpTransport();
  let endpoint: Endpoint | undefined;

  const server = (): Endpoint => {
    if (endpoint !== undefined) return endpoint;
    const { baseUrl, key } = connectionOf(settings);
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    return (endpoint = { baseUrl, headers, fetch: transport });
  };

  const call = <Reply>(path: string, options: CallOptions = {}, body?: unknown): Promise<Reply> =>
    callJson(server(), { ...options, path, body, readFault }) as Promise<Reply>;

  return {
    name: host.name,

    stream(request, options = {}) {
      const body = encodeChat(request);
      return fromBatches(() =>
        streamLines(server(), { ...options, path: "/chat", body, readFault }, createDecoder(request)),
      );
    },

    async embed({ model, texts, keepAlive: keep }, options) {
      const body = { model, texts, keepAliveMs: keepAlive(keep) };
      const { vectors, usage } = await call<WireEmbeddings>("/embed", options, body);
      // The core sees to the rest: one for each text, alike, finite, of length 1.
      return { model, vectors: readVectors(vectors), usage: { inputTokens: usage?.input } };
    },

    async health(options = {}) {
      try {
        const { version } = await call<{ version?: string }>("/health", options);
        return { status: "ok", version };
      } catch (error) {
        return {
          status: "down",
          message: error instanceof Error ? error.message : String(error),
          hint: "start the server, or set ACME_BASE_URL to where it listens",
        };
      }
    },

    async listModels(options) {
      const { models } = await call<{ models: readonly WireModel[] }>("/models", options);
      return models.map(modelInfo);
    },

    async describeModel(model, options) {
      return describe(await call<WireModel>(`/models/${encodeURIComponent(model)}`, options));
    },

    async close() {
      transport.close();
    },
  };
}
