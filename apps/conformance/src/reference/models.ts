import {
  type CallOptions,
  type Capability,
  type Health,
  type ModelDescription,
  type ModelInfo,
  isLlmError,
  LlmError,
  type Provider,
  type PullProgress,
} from "@enginehouse/llm-core";

import { defined } from "./encode.ts";
import type { Parts } from "./parts.ts";
import type { ReferenceSettings } from "./settings.ts";
import { finalFault, type Wire } from "./wire-call.ts";
import type { PlainModel } from "./wire.ts";

type Models = Required<Omit<Provider, "name" | "stream" | "close">>;

/** All that is not a chat. `windows` keeps those that models were loaded with: every chat asks for the same. */
export function createModels(
  wire: Wire,
  settings: ReferenceSettings,
  parts: Parts,
  windows: Map<string, number>,
): Models {
  const pulls = parts.createSharing<PullProgress>();
  const keepAliveMs = (keepAlive?: number): number | undefined => parts.encodeKeepAlive(keepAlive, settings);

  async function* pull(model: string, options: CallOptions): AsyncGenerator<PullProgress> {
    const stallMs = options.timeouts?.idle ?? settings.pullStallMs ?? STALL;
    const clock = parts.createClock({ ...options, timeouts: { ...options.timeouts, idle: stallMs } });
    const progress = parts.createProgress();
    const told = { begun: false };
    let done = false;
    let grown = performance.now();
    try {
      for await (const lines of wire.lines("/pull", { model }, clock, told)) {
        for (const line of lines) {
          if (line.type === "error") throw parts.pullFault(line.message ?? "it does not say why");
          if (line.type === "done") {
            done = true;
            yield {
              status: "done",
              fraction: 1,
              receivedBytes: progress.received,
              model: line.name ?? model,
            };
            continue;
          }
          const before = progress.received;
          const step = progress.add(line);
          if (progress.received > before) grown = performance.now();
          else if (performance.now() - grown > stallMs) throw stalled(stallMs);
          yield step;
        }
      }
      if (!done)
        throw new LlmError("stream-interrupted", "the download ended before it was done", {
          phase: "pull",
        });
    } catch (error) {
      const fault = finalFault(error, clock, parts, told.begun);
      throw isLlmError(fault) && fault.code === "timeout" ? stalled(stallMs) : fault;
    } finally {
      clock.end();
    }
  }

  return {
    async embed({ model, texts, keepAlive, providerOptions }, options) {
      if (texts.length === 0) return { model, vectors: [], usage: { inputTokens: 0 } };
      const body = defined({
        model,
        texts,
        keepAliveMs: keepAliveMs(keepAlive),
        ...providerOptions?.["reference"],
      });
      const { vectors, usage } = (await wire.json("POST", "/embed", body, options)) as {
        vectors?: unknown;
        usage?: { input?: number };
      };
      return {
        model,
        vectors: parts.readVectors(vectors, texts.length),
        usage: { inputTokens: usage?.input },
      };
    },

    async rerank({ model, query, documents, keepAlive }, options) {
      if (documents.length === 0) return { model, scores: [] };
      const body = defined({ model, query, texts: documents, keepAliveMs: keepAliveMs(keepAlive) });
      const { scores } = (await wire.json("POST", "/rerank", body, options)) as { scores: number[] };
      return { model, scores };
    },

    async countTokens({ model, messages, texts }, options) {
      const asked =
        messages === undefined ? undefined : parts.encodeChat({ model, messages }, settings)["messages"];
      const body = defined({ model, messages: asked, texts });
      return (await wire.json("POST", "/count", body, options)) as {
        tokens: number;
        perText?: number[];
        window: number;
      };
    },

    async health(options) {
      try {
        const { version } = (await wire.json("GET", "/health", undefined, options)) as { version?: string };
        return { status: "ok", version };
      } catch (error) {
        const { message, hint } = error as LlmError;
        return { status: "down", message, hint: hint ?? "start the backend" } satisfies Health;
      }
    },

    async listModels(options) {
      const { models } = (await wire.json("GET", "/models", undefined, options)) as { models: PlainModel[] };
      return models.map(infoOf);
    },

    async describeModel(model, options) {
      return descriptionOf((await wire.json("GET", pathOf(model), undefined, options)) as PlainModel);
    },

    pullModel: ({ model }, options = {}) =>
      pulls.follow(model, options.signal, (signal) => pull(model, { ...options, signal })),

    async deleteModel(model, options) {
      await wire.json("DELETE", pathOf(model), undefined, options);
    },

    async loadModel({ model, contextWindow, keepAlive, providerOptions }, options) {
      const body = defined({
        model,
        window: contextWindow ?? settings.contextWindow,
        keepAliveMs: keepAliveMs(keepAlive),
        ...providerOptions?.["reference"],
      });
      try {
        const loaded = (await wire.json("POST", "/load", body, options)) as {
          model: string;
          window?: number;
        };
        if (loaded.window !== undefined) windows.set(model, loaded.window);
        return { id: loaded.model, contextWindow: loaded.window };
      } catch (error) {
        if (!isLlmError(error) || error.code !== "provider-internal") throw error;
        throw new LlmError("model-load-failed", error.message, {
          status: error.status,
          phase: "load",
          cause: error,
        });
      }
    },

    async unloadModel(model, options) {
      await wire.json("POST", "/unload", { model }, options);
    },

    async loadedModels(options) {
      const { models } = (await wire.json("GET", "/loaded", undefined, options)) as { models: PlainModel[] };
      return models.map(({ name, window }) => ({ id: name, contextWindow: window }));
    },
  };
}

/** A download without progress for so long has failed, in milliseconds. */
const STALL = 60_000;

const stalled = (ms: number): LlmError =>
  new LlmError("timeout", `the download made no progress for ${ms} ms`, {
    phase: "pull",
    hint: "pull again: it goes on from where it stopped",
  });

const pathOf = (model: string): string => `/models/${encodeURIComponent(model)}`;

const infoOf = ({ name, task, sizeBytes, quantization, loaded }: PlainModel): ModelInfo => ({
  id: name,
  task,
  sizeBytes,
  quantization,
  loaded,
});

function descriptionOf(model: PlainModel): ModelDescription {
  const has = (value: boolean): Capability => ({ value: value ? "yes" : "no", source: "reported" });
  const feature = (word: string): Capability => has(model.features?.includes(word) ?? false);
  const embedding = model.task === "embedding";
  return {
    ...infoOf(model),
    contextWindow: model.window,
    dimensions: model.dimensions,
    maxInputTokens: embedding ? model.window : undefined,
    license: model.license,
    capabilities: {
      chat: has(model.task === "chat"),
      embedding: has(embedding),
      rerank: has(model.task === "rerank"),
      tools: feature("tools"),
      vision: feature("vision"),
      reasoning: feature("reasoning"),
      jsonSchema: feature("json-schema"),
    },
  };
}
