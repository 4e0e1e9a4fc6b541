import {
  type CallOptions,
  type ChatRequest,
  type EmbedRequest,
  type EmbedResponse,
  type EventBatch,
  fromBatches,
  type Host,
  LlmError,
  type Provider,
  type Pullable,
} from "@enginehouse/llm-core";
import type * as Wire from "@enginehouse/llm-wire";

import type { Connection } from "./connection/connection.ts";
import type { Facts } from "./connection/facts.ts";
import type { startWholeCall, WholeCall } from "./connection/whole-call.ts";
import type * as Decode from "./decode.ts";
import type * as Embeddings from "./embeddings/vectors.ts";
import type * as Encode from "./encode.ts";
import type * as Errors from "./errors.ts";
import type { ModelStore } from "./models.ts";
import { keyOf } from "./models/name.ts";
import { type Configured, configured, type OllamaSettings } from "./settings.ts";

export type OllamaProvider = Omit<Required<Provider>, "rerank" | "countTokens">;

/** The models of an Ollama server, on this machine or elsewhere. */
export function createOllama(settings: OllamaSettings, host: Host): OllamaProvider {
  let opening: Promise<Parts> | undefined;
  const open = (): Promise<Parts> =>
    (opening ??= openParts(settings).catch((error: unknown) => {
      // What was wrong in the environment may be right next time.
      opening = undefined;
      throw error;
    }));
  /** What `loadModel` was told, by model: it holds for later calls too, as another value would load the model anew. */
  const told = new Map<string, { window: number | undefined; keepAlive: number | undefined }>();
  let calls = 0;
  const newCallId = (): string => `call_${(calls += 1)}_${Date.now().toString(36)}`;

  function residenceOf(
    model: string,
    keepAlive: number | undefined,
    { configured }: Parts,
  ): Encode.Residence {
    const own = told.get(keyOf(model));
    return {
      window: own?.window ?? ownOf(configured.contextWindows, model) ?? configured.contextWindow,
      keepAlive: keepAlive ?? own?.keepAlive ?? configured.keepAlive,
    };
  }

  /** An iterator by hand: once the answer runs, each read goes straight to the wire. */
  function answer(request: ChatRequest, options: CallOptions): Pullable<EventBatch> {
    const { model } = request;
    const lacks = new Set<Errors.Lack>();
    let inner: Pullable<EventBatch> | undefined;
    let parts: Parts | undefined;
    let learning: Promise<void> = Promise.resolve();
    let learns = false;
    let begun = false;
    let plain = false;
    let repeated = "";
    let whole: WholeCall | undefined;

    const first = async (): Promise<IteratorResult<EventBatch>> => {
      parts = await open();
      options.signal?.throwIfAborted();
      whole = parts.startWholeCall(options);
      for (const lack of await lacksOf(request, whole.left(), parts)) lacks.add(lack);
      repeated = await repeatedIn(request, whole.left(), parts);
      options.signal?.throwIfAborted();
      return send(parts);
    };

    const send = async (using: Parts): Promise<IteratorResult<EventBatch>> => {
      const { connection, facts, wire, encode, decode } = using;
      const encoded = encode.encodeChat(request, residenceOf(model, request.keepAlive, using), lacks);
      const decoder = decode.createDecoder({
        request,
        warnings: encoded.warnings,
        startsLate: encode.mayBeRefused(request),
        newCallId,
        contextOf: (usage) => facts.contextOf(model, usage),
      });
      const call = connection.wireCall("/api/chat", whole?.left() ?? options, model, encoded.body);
      const alone = { ...call, headers: connection.ownConnection };
      inner = wire.streamLines(connection.endpoint, alone, wire.withoutGiven(decoder, repeated));
      return inner.next().then(onBatch, onFault);
    };

    const onBatch = (
      read: IteratorResult<EventBatch>,
    ): IteratorResult<EventBatch> | Promise<IteratorResult<EventBatch>> => {
      if (read.done === true || parts === undefined || isStartAlone(read.value)) return read;
      const { facts } = parts;
      begun = true;
      // What the server tells only beside its answer is asked while the first answer of a model comes in.
      if (!learns) {
        learns = true;
        const known = facts.complete(model);
        const isWhole = whole?.spent !== true;
        plain = known && isWhole;
        if (!known) learning = afterThis().then(() => facts.learn(model));
        void learning.then(() => (plain = isWhole));
      }
      return plain || read.value.at(-1)?.type !== "finish" ? read : toldAgain(read.value, parts);
    };

    const toldAgain = async (
      batch: EventBatch,
      { facts, decode }: Parts,
    ): Promise<IteratorResult<EventBatch>> => {
      await heeding(options.signal, learning);
      return { value: decode.withContext(batch, (usage) => facts.contextOf(model, usage)), done: false };
    };

    const onFault = async (error: unknown): Promise<IteratorResult<EventBatch>> => {
      if (parts === undefined) throw error;
      const { errors, connection, facts } = parts;
      const lack = begun ? undefined : errors.lackIn(error);
      if (lack !== undefined && !lacks.has(lack) && errors.mayDoWithout(lack, request)) {
        lacks.add(lack);
        return send(parts);
      }
      if (!errors.isOverflow(error)) throw whole?.told(connection.advise(error)) ?? error;
      facts.sawRefusal();
      await heeding(options.signal, facts.learn(model));
      throw errors.withWindow(error, facts.contextOf(model, NOTHING).window);
    };

    const next = (): Promise<IteratorResult<EventBatch>> => {
      if (inner === undefined) return first();
      return plain ? inner.next() : inner.next().then(onBatch, onFault);
    };

    return {
      next,
      pull(reader) {
        if (plain && inner?.pull !== undefined) inner.pull(reader);
        else
          next().then(
            (read) => reader.onRead(read),
            (error: unknown) => reader.onFault(error),
          );
      },
      async return() {
        await inner?.return?.();
        return { value: undefined, done: true };
      },
    };
  }

  async function embed(request: EmbedRequest, options: CallOptions = {}): Promise<EmbedResponse> {
    const parts = await open();
    const { model, texts, purpose, keepAlive, providerOptions } = request;
    const prefix = (purpose && ownOf(parts.configured.prefixes, model)?.[purpose]) ?? "";
    const residence = residenceOf(model, keepAlive, parts);
    const { connection, encode, embeddings, wire } = parts;
    const ask = async (some: readonly string[]): Promise<unknown> => {
      const prefixed = prefix === "" ? some : some.map((text) => prefix + text);
      const body = encode.encodeEmbed(model, prefixed, residence, providerOptions);
      return wire.callJson(connection.endpoint, connection.wireCall("/api/embed", options, model, body));
    };
    try {
      return { model, ...(await embeddings.embedAll(texts, ask)) };
    } catch (error) {
      throw connection.advise(error);
    }
  }

  return {
    name: host.name,
    stream: (request, options = {}) => fromBatches(() => answer(request, options)),
    embed,

    async health(options) {
      const [{ connection, facts }, { healthOf }] = await Promise.all([
        open(),
        import("./connection/health.ts"),
      ]);
      return healthOf(connection, facts, options);
    },
    listModels: async (options) => (await open()).models.list(options),
    describeModel: async (model, options) => (await open()).models.describe(model, options),
    async *pullModel({ model }, options) {
      const { models, facts } = await open();
      yield* models.pull(model, options);
      facts.forget(model);
    },
    async deleteModel(model, options) {
      const { models, facts } = await open();
      await models.delete(model, options);
      facts.forget(model);
      told.delete(keyOf(model));
    },

    async loadModel({ model, contextWindow, keepAlive }, options) {
      const parts = await open();
      if (contextWindow !== undefined && !(Number.isInteger(contextWindow) && contextWindow > 0)) {
        const says = `contextWindow: expected a whole number above 0, got ${String(contextWindow)}`;
        throw new LlmError("invalid-request", says);
      }
      const before = residenceOf(model, keepAlive, parts);
      const wanted = { window: contextWindow ?? before.window, keepAlive: before.keepAlive };
      // A habit of unloading at once is no reason not to load.
      const residence =
        keepAlive === undefined && wanted.keepAlive === 0 ? { ...wanted, keepAlive: undefined } : wanted;
      const loaded = await parts.models.load(model, residence, options);
      told.set(keyOf(model), residence);
      parts.facts.remember(model, loaded.contextWindow);
      return loaded;
    },
    async unloadModel(model, options) {
      const { models, facts } = await open();
      await models.unload(model, options);
      facts.forget(model);
      told.delete(keyOf(model));
    },
    loadedModels: async (options) => (await open()).models.loaded(options),

    async close() {
      const parts = await opening?.catch(() => undefined);
      parts?.facts.close();
      await parts?.models.close();
      parts?.connection.close();
    },
  };
}

/** What is known to be missing before anything is sent. */
async function lacksOf(
  request: ChatRequest,
  options: CallOptions,
  parts: Parts,
): Promise<readonly Errors.Lack[]> {
  const { models, facts, encode, isBefore } = parts;
  const lacks: Errors.Lack[] = [];
  if (encode.wishesThoughts(request)) {
    const version = await heeding(options.signal, facts.version());
    // A field that a server does not know it passes over in silence.
    if (version !== undefined && isBefore(version)) lacks.push("think-field");
  }
  if (encode.hasImage(request)) {
    const capabilities = await models.capabilities(request.model, options).catch(() => undefined);
    if (capabilities !== undefined && !capabilities.includes("vision")) lacks.push("vision");
  }
  return lacks;
}

/** The engine's own templates repeat the message that they go on with; Ollama's do not. */
async function repeatedIn(request: ChatRequest, options: CallOptions, parts: Parts): Promise<string> {
  const given = parts.wire.givenText(request);
  if (given === "") return "";
  const native = await parts.models.isNative(request.model, options).catch(() => false);
  return native ? given : "";
}

/** A model may be called `constructor`. */
function ownOf<Value>(byModel: Readonly<Record<string, Value>>, model: string): Value | undefined {
  if (Object.hasOwn(byModel, model)) return byModel[model];
  return Object.entries(byModel).find(([name]) => keyOf(name) === keyOf(model))?.[1];
}

const isStartAlone = (batch: EventBatch): boolean =>
  batch.length === 0 || (batch.length === 1 && batch[0]?.type === "start");

/** What calls share goes on without the one that is aborted. */
async function heeding<Value>(signal: AbortSignal | undefined, work: Promise<Value>): Promise<Value> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener("abort", stop);
  }
}

/** The first piece goes out before anything else is done. */
const afterThis = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const NOTHING = { inputTokens: undefined, outputTokens: undefined };

interface Parts {
  readonly configured: Configured;
  readonly connection: Connection;
  readonly models: ModelStore;
  readonly facts: Facts;
  readonly wire: typeof Wire;
  readonly encode: typeof Encode;
  readonly decode: typeof Decode;
  readonly errors: typeof Errors;
  readonly embeddings: typeof Embeddings;
  readonly isBefore: (version: string) => boolean;
  readonly startWholeCall: typeof startWholeCall;
}

/** All that is heavy is imported, and the environment read, with the first operation. */
async function openParts(settings: OllamaSettings): Promise<Parts> {
  const [
    wire,
    encode,
    decode,
    errors,
    embeddings,
    { createConnection },
    { createModels },
    { createFacts },
    version,
    { startWholeCall },
  ] = await Promise.all([
    import("@enginehouse/llm-wire"),
    import("./encode.ts"),
    import("./decode.ts"),
    import("./errors.ts"),
    import("./embeddings/vectors.ts"),
    import("./connection/connection.ts"),
    import("./models.ts"),
    import("./connection/facts.ts"),
    import("./connection/version.ts"),
    import("./connection/whole-call.ts"),
  ]);
  const chosen = configured(settings);
  const connection = createConnection(chosen);
  const models = createModels(connection, chosen);
  const facts = createFacts(connection, models);
  const isBefore = (said: string): boolean => version.isBefore(said, version.THINKS);
  return {
    configured: chosen,
    connection,
    models,
    facts,
    wire,
    encode,
    decode,
    errors,
    embeddings,
    isBefore,
    startWholeCall,
  };
}
