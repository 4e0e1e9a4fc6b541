import {
  type CallOptions,
  isLlmError,
  LlmError,
  type LoadedModel,
  type ModelDescription,
  type ModelInfo,
  type PullProgress,
} from "@enginehouse/llm-core";
import { callJson } from "@enginehouse/llm-wire";

import type { Connection } from "./connection/connection.ts";
import { encodeEmbed, encodeLoad, encodeUnload, type Residence } from "./encode.ts";
import { readErrorLine } from "./errors.ts";
import { capabilitiesOf, descriptionOf, infoOf, trainedWindow } from "./models/describe.ts";
import { keyOf } from "./models/name.ts";
import { createPulls } from "./models/pull.ts";
import type { Configured } from "./settings.ts";
import { isRecord, readModels, readShow, type WireModel, type WireShow } from "./wire.ts";

export interface ModelStore {
  list(options?: CallOptions): Promise<readonly ModelInfo[]>;
  describe(model: string, options?: CallOptions): Promise<ModelDescription>;
  pull(model: string, options?: CallOptions): AsyncGenerator<PullProgress, void, undefined>;
  delete(model: string, options?: CallOptions): Promise<void>;
  load(model: string, residence: Residence, options?: CallOptions): Promise<LoadedModel>;
  unload(model: string, options?: CallOptions): Promise<void>;
  loaded(options?: CallOptions): Promise<readonly LoadedModel[]>;
  /** Tokens that a loaded model really takes. */
  windowInForce(model: string, options?: CallOptions): Promise<number | undefined>;
  /** What the model can do beyond chat, or `undefined` where the server does not tell. */
  capabilities(model: string, options?: CallOptions): Promise<readonly string[] | undefined>;
  /** Whether the engine itself renders the model's own template, and not the server one of Ollama's. */
  isNative(model: string, options?: CallOptions): Promise<boolean>;
  close(): Promise<void>;
}

/** How many models are looked at side by side. */
const AT_ONCE = 8;

export function createModels(connection: Connection, configured: Configured): ModelStore {
  const pulls = createPulls(connection, configured);
  /** By digest, so that a model that was replaced is asked about anew. */
  const shown = new Map<string, WireShow>();

  async function show(model: string, options?: CallOptions): Promise<WireShow> {
    const reply: unknown = await connection.ask((sdk) => sdk.show({ model }), options, model);
    return readShow(reply) ?? unreadable("/api/show");
  }

  async function shownOnce({ name, digest }: WireModel, options?: CallOptions): Promise<WireShow> {
    const known = digest === undefined ? undefined : shown.get(digest);
    if (known !== undefined) return known;
    const fresh = await show(name, options);
    if (digest !== undefined) shown.set(digest, fresh);
    return fresh;
  }

  async function running(options?: CallOptions): Promise<readonly WireModel[]> {
    const reply: unknown = await connection.ask((sdk) => sdk.ps(), options);
    return readModels(reply) ?? unreadable("/api/ps");
  }

  /** Old servers report a window beyond what the model was made for, and refuse at that all the same. */
  async function inForce(entry: WireModel | undefined, options?: CallOptions): Promise<number | undefined> {
    if (entry?.contextLength === undefined) return undefined;
    const trained = await shownOnce(entry, options).then(trainedWindow, () => undefined);
    return Math.min(entry.contextLength, trained ?? entry.contextLength);
  }

  /** Servers before 0.10 do not tell the window; it is the one that was asked for, or what the model was made for. */
  async function within(
    asked: number | undefined,
    entry: WireModel,
    options?: CallOptions,
  ): Promise<number | undefined> {
    return asked === undefined ? undefined : inForce({ ...entry, contextLength: asked }, options);
  }

  async function loadedOf(entry: WireModel, options?: CallOptions): Promise<LoadedModel> {
    return {
      id: entry.name,
      contextWindow: await inForce(entry, options),
      memoryBytes: entry.size,
      gpuMemoryBytes: entry.sizeVram,
      ...(entry.expiresAt !== undefined &&
        entry.expiresAt.getFullYear() < FOR_GOOD && { expiresAt: entry.expiresAt }),
    };
  }

  async function empty(path: string, body: unknown, model: string, options?: CallOptions): Promise<void> {
    try {
      const reply = await callJson(connection.endpoint, connection.wireCall(path, options, model, body));
      if (isRecord(reply) && reply["error"] !== undefined)
        throw readErrorLine(reply["error"], { model, path }, { phase: "load" });
    } catch (error) {
      throw connection.advise(asLoadFault(error, model));
    }
  }

  return {
    async list(options) {
      const asked = connection.ask((sdk) => sdk.list(), options);
      const [reply, loaded] = await Promise.all([
        asked as Promise<unknown>,
        // A service in front of many servers has a list, and nothing that is loaded.
        running(options).catch((error: unknown) => passAbort(error, options)),
      ]);
      const models = readModels(reply) ?? unreadable("/api/tags");
      const there = loaded && new Set(loaded.map(({ name }) => name));
      const infos: ModelInfo[] = [];
      for (let from = 0; from < models.length; from += AT_ONCE) {
        const some = models.slice(from, from + AT_ONCE).map(async (model) => {
          // Old servers tell what a model is for only one by one. A damaged one is listed all the same.
          const more =
            model.capabilities === undefined
              ? await shownOnce(model, options).catch((error: unknown) => passAbort(error, options))
              : undefined;
          return infoOf(model, more, there?.has(model.name));
        });
        infos.push(...(await Promise.all(some)));
      }
      return infos;
    },

    async describe(model, options) {
      const [shown, reply] = await Promise.all([
        show(model, options),
        // The size stands in the list alone; a description without it is one, too.
        connection.ask((sdk) => sdk.list(), options).catch((error: unknown) => passAbort(error, options)),
      ]);
      const entry = readModels(reply)?.find(({ name }) => isSame(name, model));
      return descriptionOf(model, shown, entry);
    },

    pull: (model, options) => pulls.pull(model, options),

    async delete(model, options) {
      await connection.ask((sdk) => sdk.delete({ model }), options, model);
    },

    async load(model, residence, options) {
      await empty("/api/chat", encodeLoad(model, residence), model, options).catch((error: unknown) => {
        if (!isEmbedders(error)) throw error;
        return empty("/api/embed", encodeEmbed(model, [], residence, undefined), model, options);
      });
      const entry = newest(await running(options), model);
      // Unloaded again by somebody else, or told under another name: that it was loaded is still true.
      if (entry === undefined) return { id: model };
      const told = await loadedOf(entry, options);
      const window = told.contextWindow ?? (await within(residence.window, entry, options));
      return { ...told, id: model, contextWindow: window };
    },

    async unload(model, options) {
      // An unknown model is no error here: nothing of it is loaded.
      if (newest(await running(options), model) === undefined) return;
      await empty("/api/chat", encodeUnload(model), model, options);
    },

    async loaded(options) {
      const entries = await running(options);
      const names = [...new Set(entries.map(({ name }) => name))];
      return Promise.all(
        names.flatMap((name) => newest(entries, name) ?? []).map((entry) => loadedOf(entry, options)),
      );
    },

    windowInForce: async (model, options) => inForce(newest(await running(options), model), options),
    capabilities: async (model, options) => capabilitiesOf(await show(model, options)),
    // Such a template is shown as it is, in a language that Ollama's own are not written in.
    isNative: async (model, options) => /\{%/.test((await show(model, options)).template ?? ""),
    close: () => pulls.close(),
  };
}

/** A model that only embeds cannot be asked to chat, not even about nothing. */
const isEmbedders = (error: unknown): boolean =>
  isLlmError(error) && error.code === "unsupported" && /does not support chat/i.test(error.message);

/** Whatever else a server fails at when it was asked for nothing but a load, the load has failed. */
function asLoadFault(error: unknown, model: string): unknown {
  if (!isLlmError(error) || error.code !== "provider-internal") return error;
  const { status, retryAfterMs, cause } = error;
  return new LlmError("model-load-failed", `the model "${model}" could not be loaded: ${error.message}`, {
    phase: "load",
    status,
    retryAfterMs,
    cause,
    hint: "look into the server's log; if the file is damaged, pull the model again",
  });
}

/** Ollama's "for good" lies centuries ahead. */
const FOR_GOOD = 2200;

/** After a model was made anew under its name, the old one may still be in memory: what expires last is in use. */
function newest(entries: readonly WireModel[], model: string): WireModel | undefined {
  const own = entries.filter(({ name }) => isSame(name, model));
  return own.toSorted((a, b) => (b.expiresAt?.getTime() ?? 0) - (a.expiresAt?.getTime() ?? 0))[0];
}

const isSame = (one: string, other: string): boolean => keyOf(one) === keyOf(other);

function passAbort(error: unknown, options: CallOptions | undefined): undefined {
  if (options?.signal?.aborted === true) throw error;
  return undefined;
}

function unreadable(path: string): never {
  throw new LlmError("invalid-response", `${path} was answered with something else than Ollama does`, {
    hint: "is this the address of an Ollama server?",
  });
}
