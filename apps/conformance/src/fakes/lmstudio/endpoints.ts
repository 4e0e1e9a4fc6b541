import type { JsonObject, JsonValue } from "@enginehouse/llm-core";

import type { House } from "../house.ts";
import { fieldsOf, stringOf } from "../reading.ts";
import type { Fields } from "../reading.ts";
import { wait } from "../waiting.ts";
import type { Witness } from "../witness.ts";
import { countWords, firstWords, vectorFor } from "../words.ts";
import { failure, refused } from "./errors.ts";
import { instanceInfo, loadConfig, modelInfo } from "./models.ts";
import type { Domain, Shelf } from "./models.ts";
import { predict, stopped } from "./predict.ts";
import type { Channel } from "./predict.ts";
import { readLmstudio } from "./read.ts";

/** Answered once. `undefined` is an answer too. */
export type Rpc = (
  parameter: Fields,
  gone: AbortSignal,
) => Promise<JsonValue | undefined> | JsonValue | undefined;

/** Answered in packets. It ends when it returns, with an error when it throws. */
export type Open = (parameter: Fields, channel: Channel, cancelled: () => boolean) => Promise<void>;

export interface Namespace {
  readonly rpc: Readonly<Record<string, Rpc>>;
  readonly channel: Readonly<Record<string, Open>>;
}

/** What each namespace answers. Anything else gets a warning and no answer, as from the real server. */
export const namespacesOf = (
  house: House,
  shelf: Shelf,
  witness: Witness,
): Readonly<Record<string, Namespace>> => ({
  llm: llmNamespace(house, shelf, witness),
  embedding: embeddingNamespace(house, shelf),
  system: {
    rpc: {
      listDownloadedModels: () => shelf.installed().map(modelInfo),
      version: () => ({ version: house.scenario.version ?? "0.4.0", build: 1 }),
      info: () => ({ pid: 1, isDaemon: true, version: house.scenario.version ?? "0.4.0" }),
      notify: () => undefined,
    },
    channel: { alive: (_, channel) => wait("forever", channel.gone) },
  },
  repository: repository(house),
  files: {
    rpc: {
      uploadFileBase64: ({ contentBase64 }) => ({
        identifier: `file-${String(contentBase64).length}`,
        fileType: "image",
        sizeBytes: Buffer.from(String(contentBase64), "base64").length,
      }),
    },
    channel: {},
  },
  diagnostics: { rpc: {}, channel: {} },
  plugins: { rpc: {}, channel: {} },
  runtime: { rpc: {}, channel: {} },
});

const modelNamespace = (house: House, shelf: Shelf, domain: Domain): Namespace => ({
  rpc: {
    listLoaded: () => shelf.instances(domain).map(instanceInfo),
    getModelInfo({ specifier, throwIfNotFound }) {
      const found =
        throwIfNotFound === true ? shelf.instance(domain, specifier) : shelf.find(domain, specifier);
      return found === undefined ? undefined : instanceInfo(found);
    },
    getLoadConfig: ({ specifier }) => loadConfig(shelf.instance(domain, specifier)),
    unloadModel({ identifier }) {
      house.unload(shelf.instance(domain, { query: { identifier } }).model);
      return undefined;
    },
    tokenize({ specifier, inputString }) {
      shelf.instance(domain, specifier);
      return { tokens: Array.from({ length: countWords(String(inputString)) }, (_, place) => place + 3) };
    },
    countTokens({ specifier, inputString }) {
      shelf.instance(domain, specifier);
      return { tokenCount: countWords(String(inputString)) };
    },
  },
  channel: {
    async loadModel(parameter, channel) {
      const model = shelf.need(domain, parameter["modelKey"]);
      const asked = readLmstudio("loadModel", parameter);
      channel.send({ type: "resolved", info: modelInfo(model) });
      channel.send({ type: "progress", progress: 0.25 });
      const instance = await shelf.load(model, asked, channel.gone);
      channel.send({ type: "progress", progress: 1 });
      channel.send({ type: "success", info: instanceInfo(instance) });
    },
    async getOrLoad(parameter, channel) {
      const { identifier } = parameter;
      const there = shelf.find(domain, { query: { identifier } });
      if (there !== undefined) return channel.send({ type: "alreadyLoaded", info: instanceInfo(there) });
      const model = shelf.need(domain, identifier);
      channel.send({ type: "startLoading", identifier: String(identifier), info: modelInfo(model) });
      channel.send({ type: "loadProgress", progress: 0.25 });
      const instance = await shelf.load(model, readLmstudio("getOrLoad", parameter), channel.gone);
      channel.send({ type: "loadProgress", progress: 1 });
      channel.send({ type: "loadSuccess", info: instanceInfo(instance) });
    },
  },
});

const llmNamespace = (house: House, shelf: Shelf, witness: Witness): Namespace => {
  const both = modelNamespace(house, shelf, "llm");
  return {
    rpc: {
      ...both.rpc,
      applyPromptTemplate({ specifier, history }) {
        shelf.instance("llm", specifier);
        const { messages = [] } = readLmstudio("predict", { history });
        return { formatted: messages.map(({ role, text }) => `<|${role}|> ${text}`).join("\n") };
      },
    },
    channel: {
      ...both.channel,
      async predict(parameter, channel, cancelled) {
        const prediction = {
          instance: shelf.instance("llm", parameter["modelSpecifier"]),
          asked: readLmstudio("predict", parameter),
          script: house.nextChat(),
          stack: parameter["predictionConfigStack"],
        };
        const endings: (() => void)[] = [];
        try {
          endings.push(await house.enter(channel.gone), witness.generates());
          await predict(channel, prediction);
        } catch (error) {
          if (!cancelled()) throw error;
          channel.send(stopped(prediction));
        } finally {
          for (const end of endings) end();
        }
      },
    },
  };
};

const embeddingNamespace = (house: House, shelf: Shelf): Namespace => {
  const both = modelNamespace(house, shelf, "embedding");
  return {
    ...both,
    rpc: {
      ...both.rpc,
      async embedString({ modelSpecifier, inputString }, gone) {
        const { model, loaded } = shelf.instance("embedding", modelSpecifier);
        const script = house.nextEmbed();
        await wait(script.headersAfter ?? 0, gone);
        if (script.refusal !== undefined) throw refused(script.refusal);
        // What is too long is cut, and nothing tells of it.
        const read = firstWords(String(inputString), loaded.window);
        const vector = vectorFor(read, model.dimensions ?? 8).map((value) => value * (script.norm ?? 1));
        if (script.spoiled === "ragged") return { embedding: vector.slice(1) };
        if (script.spoiled === "nan") return { embedding: [null, ...vector.slice(1)] };
        return script.spoiled === "missing" ? { embedding: [] } : { embedding: vector };
      },
    },
  };
};

const repository = (house: House): Namespace => ({
  rpc: {
    searchModels({ opts }) {
      const term = stringOf(fieldsOf(opts)["searchTerm"]) ?? "";
      const found = (house.scenario.models ?? []).filter((model) => model.id.includes(term));
      return {
        results: found.map(({ id }) => ({
          name: id,
          identifier: { type: "catalog", identifier: id },
          exact: id === term,
        })),
      };
    },
    getModelDownloadOptions({ modelSearchResultIdentifier }) {
      const id = stringOf(fieldsOf(modelSearchResultIdentifier)["identifier"]);
      const model = house.known(id);
      return { results: model === undefined ? [] : [downloadOption(model.id, model.sizeBytes ?? 1_600)] };
    },
  },
  channel: {
    async downloadModel({ downloadIdentifier }, channel) {
      const model = house.known(downloadIdentifier);
      if (model === undefined) throw failure({ title: "Unknown download option." });
      let error: string | undefined;
      const totalBytes = model.sizeBytes ?? 1_600;
      const layers = new Map<number, number>();
      await house.downloads.follow(
        model.id,
        house.nextPull,
        (piece) => {
          if (piece.type === "reset") return channel.cut("reset");
          if (piece.type === "error") error = piece.message;
          if (piece.type === "done") house.install(model.id);
          if (piece.type !== "progress") return;
          layers.set(piece.layer, piece.received);
          const downloadedBytes = [...layers.values()].reduce((sum, bytes) => sum + bytes, 0);
          const update = {
            downloadedBytes,
            totalBytes: Math.max(totalBytes, downloadedBytes),
            speedBytesPerSecond: 1_000_000,
          };
          channel.send({ type: "downloadProgress", update });
        },
        channel.gone,
      );
      if (error !== undefined) throw failure({ title: error });
      // A client that has cancelled gets no more than the end of the channel.
      if (channel.gone.aborted) return;
      channel.send({ type: "startFinalizing" });
      channel.send({ type: "success", defaultIdentifier: model.id });
    },
  },
});

const downloadOption = (id: string, sizeBytes: number): JsonObject => ({
  name: id,
  sizeBytes,
  fitEstimation: "fitWithoutGPU",
  recommended: true,
  compatibilityType: "gguf",
  downloadIdentifier: id,
  indexedModelIdentifier: id,
});
