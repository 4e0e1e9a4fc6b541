import {
  type CallOptions,
  type ChatRequest,
  type EventBatch,
  fromBatches,
  type Host,
  type LoadedModel,
  LlmError,
  type Provider,
  type Warning,
} from "@enginehouse/llm-core";
import type { startDeadlines as StartDeadlines } from "@enginehouse/llm-wire";

import type * as Decode from "./decode.ts";
import type * as Encode from "./encode.ts";
import type { InstalledModel, ModelStore } from "./models.ts";
import { engineOptions, type LlamacppSettings, storeOptions } from "./settings.ts";
import type { Asks, Engine, ModelLack, ModelRef, Resident } from "./wire.ts";

export type LlamacppProvider = Required<Provider>;

/** llama.cpp in the application itself: models are files, and the engine is a child process unless told otherwise. */
export function createLlamacpp(settings: LlamacppSettings, host: Host): LlamacppProvider {
  let parts: Promise<Parts> | undefined;
  const open = (): Promise<Parts> => (parts ??= openParts(settings, host));
  let calls = 0;

  async function refOf(id: string, extra: Partial<ModelRef> = {}): Promise<ModelRef> {
    const { id: known, path } = await resolveModel(id);
    return { id: known, path, ...extra };
  }

  async function resolveModel(id: string): Promise<Pick<InstalledModel, "id" | "path">> {
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
      const { job, warnings } = encode.encodeChat(request, await refOf(request.model, optionsOf(request)));
      const newCallId = (): string => `call_${(calls += 1)}_${Date.now().toString(36)}`;
      const onLack = (lack: ModelLack): Warning => lackWarning(lack, request);
      const decoder = decode.createDecoder({ request, warnings, newCallId, onLack });
      const batches = engine.chat(job, clock.signal);
      try {
        for (;;) {
          clock.waiting();
          const read = await batches.next();
          clock.arrived();
          if (read.done === true) break;
          const events = decoder.add(read.value);
          if (events.length > 0) yield events;
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

  return {
    name: host.name,
    stream: (request, options = {}) => fromBatches(() => answer(request, options)),

    async embed({ model: id, texts, purpose, keepAlive, providerOptions }, options = {}) {
      const model = await refOf(id, optionsOf({ providerOptions }));
      const prefix = (purpose && settings.prefixes?.[model.id]?.[purpose]) ?? "";
      const prefixed = prefix === "" ? texts : texts.map((text) => prefix + text);
      const { vectors, tokens } = await ask("embed", { model, texts: prefixed, keepAlive }, options);
      return { model: id, vectors, usage: { inputTokens: tokens } };
    },

    async rerank({ model: id, query, documents, keepAlive }, options = {}) {
      const model = await refOf(id);
      const { scores } = await ask("rerank", { model, query, documents, keepAlive }, options);
      return { model: id, scores };
    },

    async countTokens({ model: id, messages, tools, texts }, options = {}) {
      const { encode } = await open();
      const model = await refOf(id);
      const history = messages && encode.encodeHistory(messages);
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
      const { path } = await resolveModel(id);
      // An open file cannot be removed everywhere, and a removed one should not go on answering.
      await ask("unload", { path }, options);
      await (await open()).store.delete(id);
    },

    async loadModel({ model: id, contextWindow, keepAlive, providerOptions }, options = {}) {
      const model = await refOf(id, { ...optionsOf({ providerOptions }), contextWindow });
      return residentModel(await ask("load", { model, keepAlive }, options));
    },
    async unloadModel(id, options = {}) {
      const { path } = await resolveModel(id);
      await ask("unload", { path }, options);
    },
    loadedModels: async (options = {}) => (await ask("loaded", undefined, options)).map(residentModel),

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

function optionsOf({ providerOptions }: Pick<ChatRequest, "providerOptions">): Partial<ModelRef> {
  const own = providerOptions?.["llamacpp"] ?? {};
  for (const [key, value] of Object.entries(own)) {
    if (key === "force" && typeof value === "boolean") continue;
    throw new LlmError(
      "invalid-request",
      `providerOptions.llamacpp.${key}: expected "force" with true or false`,
    );
  }
  return own["force"] === true ? { force: true } : {};
}

const LACKS: Record<ModelLack, { readonly option: string; readonly message: string }> = {
  reasoning: { option: "reasoning", message: "this model's template knows no thoughts" },
  "forced-call": {
    option: "toolChoice",
    message: "this model's template cannot be made to begin with a call",
  },
  "chat-template": {
    option: "messages",
    message: "this model has no chat template: a plain format is used, and it may answer badly",
  },
};

function lackWarning(lack: ModelLack, request: ChatRequest): Warning {
  const { option, message } = LACKS[lack];
  if (lack === "chat-template") return { code: "other", option, message };
  if (request.unsupported === "warn") return { code: "unsupported", option, message };
  throw new LlmError("unsupported", message, {
    hint: `leave "${option}" out, choose another model, or set unsupported to "warn"`,
  });
}

function residentModel({ id, contextWindow, memoryBytes, gpuMemoryBytes, expiresAt }: Resident): LoadedModel {
  return {
    id,
    contextWindow,
    memoryBytes,
    gpuMemoryBytes,
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) }),
  };
}
