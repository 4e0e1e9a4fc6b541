import {
  type CallOptions,
  type ChatRequest,
  type EventBatch,
  fromBatches,
  type Host,
  LlmError,
  type Provider,
} from "@enginehouse/llm-core";
import type { startDeadlines as StartDeadlines } from "@enginehouse/llm-wire";

import type * as Decode from "./decode.ts";
import type * as Encode from "./encode.ts";
import type { ModelStore } from "./models.ts";
import { engineOptions, type LlamacppSettings, storeOptions } from "./settings.ts";
import type { Asks, Engine, ModelRef } from "./wire.ts";

export type LlamacppProvider = Required<Provider>;

/** llama.cpp in the application itself: models are files, and the engine is a child process unless told otherwise. */
export function createLlamacpp(settings: LlamacppSettings, host: Host): LlamacppProvider {
  let parts: Promise<Parts> | undefined;
  const open = (): Promise<Parts> => (parts ??= openParts(settings, host));
  let calls = 0;

  async function refOf(id: string, extra: Partial<ModelRef> = {}): Promise<ModelRef> {
    const { id: known, path, stamp } = await resolveModel(id);
    return { id: known, path, stamp, ...extra };
  }

  async function resolveModel(id: string): Promise<ModelRef> {
    const { store, isAbsolute } = await open();
    if (!isAbsolute(id)) return store.resolve(id);
    if (settings.allowPaths === true) return { id, path: id };
    throw new LlmError("forbidden", "models are named by their id here, not by a path", {
      hint: "put the file into the models folder, or set allowPaths",
    });
  }

  async function* answer(request: ChatRequest, options: CallOptions): AsyncGenerator<EventBatch> {
    const { engine, encode, decode, startDeadlines } = await open();
    const clock = startDeadlines({ ...options.timeouts, connect: Number.POSITIVE_INFINITY }, options.signal);
    try {
      const model = await refOf(request.model, encode.encodeOptions(request));
      const { job, warnings } = encode.encodeChat(request, model);
      const newCallId = (): string => `call_${(calls += 1)}_${Date.now().toString(36)}`;
      const schema = job.grammar === undefined ? undefined : encode.schemaOf(request);
      const decoder = decode.createDecoder({ request, warnings, newCallId, schema });
      const batches = engine.chat(job, clock.signal);
      try {
        for (;;) {
          clock.waiting();
          const read = await batches.next();
          clock.arrived();
          if (read.done === true) break;
          const events = decoder.add(read.value);
          if (events.length > 0) yield events;
          const fault = decoder.fault();
          if (fault !== undefined) throw fault;
        }
      } finally {
        await batches.return?.();
      }
    } catch (error) {
      throw clock.fault ?? error;
    } finally {
      clock.end();
    }
  }

  async function ask<K extends keyof Asks>(
    op: K,
    job: Asks[K]["job"],
    options: CallOptions,
  ): Promise<Asks[K]["reply"]> {
    const { engine, startDeadlines } = await open();
    const { total } = options.timeouts ?? {};
    const none = Number.POSITIVE_INFINITY;
    const clock = startDeadlines(
      { connect: none, firstEvent: none, idle: none, total: total ?? none },
      options.signal,
    );
    try {
      return await engine.ask(op, job, clock.signal);
    } catch (error) {
      throw clock.fault ?? error;
    } finally {
      clock.end();
    }
  }

  /** By what is loaded, so that a model whose file has gone can be unloaded, too. */
  async function unload(id: string, options: CallOptions): Promise<void> {
    const loaded = await ask("loaded", undefined, options);
    const known = loaded.find((model) => model.id === id) ?? (await resolveModel(id).catch(() => undefined));
    if (known !== undefined) await ask("unload", { path: known.path }, options);
  }

  return {
    name: host.name,
    stream: (request, options = {}) => fromBatches(() => answer(request, options)),

    async embed({ model: id, texts, purpose, keepAlive, providerOptions }, options = {}) {
      const { encode } = await open();
      const model = await refOf(id, encode.encodeOptions({ keepAlive, providerOptions }));
      const prefix = (purpose && settings.prefixes?.[model.id]?.[purpose]) ?? "";
      const prefixed = prefix === "" ? texts : texts.map((text) => prefix + text);
      const { vectors, tokens } = await ask("embed", { model, texts: prefixed, keepAlive }, options);
      return { model: id, vectors, usage: { inputTokens: tokens } };
    },

    async rerank({ model: id, query, documents, keepAlive }, options = {}) {
      const { encode } = await open();
      const model = await refOf(id, encode.encodeOptions({ keepAlive }));
      const { scores } = await ask("rerank", { model, query, documents, keepAlive }, options);
      return { model: id, scores };
    },

    async countTokens({ model: id, messages, tools, texts }, options = {}) {
      const [{ encode }, { encodeHistory }] = await Promise.all([open(), import("./engine/history.ts")]);
      const model = await refOf(id);
      const history = messages && encodeHistory(messages);
      const functions = encode.encodeTools(tools, false, []);
      return ask("count", { model, history, functions, texts }, options);
    },

    async health() {
      const { healthOf } = await import("./engine/health.ts");
      return healthOf();
    },
    listModels: async (options) => {
      const { store } = await open();
      const [models, loaded] = await Promise.all([
        store.list(options),
        ask("loaded", undefined, options ?? {}),
      ]);
      const there = new Set(loaded.map(({ id }) => id));
      return models.map((model) => ({ ...model, loaded: there.has(model.id) }));
    },
    describeModel: async (id, options) => (await open()).store.describe(id, options),
    async *pullModel(request, options) {
      yield* (await open()).store.pull(request, options);
    },
    async deleteModel(id, options = {}) {
      // An open file cannot be removed everywhere, and a removed one should not go on answering.
      await unload(id, options);
      await (await open()).store.delete(id, options);
    },

    async loadModel({ model: id, contextWindow, keepAlive, providerOptions }, options = {}) {
      const { encode, decode } = await open();
      const model = await refOf(id, encode.encodeOptions({ contextWindow, keepAlive, providerOptions }));
      return decode.decodeResident(await ask("load", { model, keepAlive }, options));
    },
    unloadModel: async (id, options = {}) => unload(id, options),
    async loadedModels(options = {}) {
      const { decode } = await open();
      return (await ask("loaded", undefined, options)).map(decode.decodeResident);
    },

    async close() {
      const made = await parts?.catch(() => undefined);
      await Promise.all([made?.engine.close(), made?.store.close()]);
    },
  };
}

interface Parts {
  readonly engine: Engine;
  readonly store: ModelStore;
  readonly encode: typeof Encode;
  readonly decode: typeof Decode;
  readonly startDeadlines: typeof StartDeadlines;
  readonly isAbsolute: (path: string) => boolean;
}

/** All that is heavy is imported with the first operation. */
async function openParts(settings: LlamacppSettings, host: Host): Promise<Parts> {
  const [encode, decode, { createModelStore }, { startDeadlines }, { isAbsolute }] = await Promise.all([
    import("./encode.ts"),
    import("./decode.ts"),
    import("./models.ts"),
    import("@enginehouse/llm-wire"),
    import("node:path"),
  ]);
  return {
    engine: await openEngine(settings),
    store: createModelStore({ name: host.name, packaged: host.models, ...storeOptions(settings) }),
    encode,
    decode,
    startDeadlines,
    isAbsolute,
  };
}

async function openEngine(settings: LlamacppSettings): Promise<Engine> {
  const options = engineOptions(settings);
  if (settings.isolation === "none") return (await import("./engine/engine.ts")).createEngine(options);
  return (await import("./engine/child-process.ts")).createChildEngine(options);
}
