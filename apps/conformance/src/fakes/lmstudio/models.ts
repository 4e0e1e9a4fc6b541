import { randomUUID } from "node:crypto";

import type { JsonObject } from "@enginehouse/llm-core";

import type { ModelScript } from "../../scenario.ts";
import type { House, Loaded } from "../house.ts";
import type { Fields } from "../reading.ts";
import { fieldsOf, stringOf } from "../reading.ts";
import { noSuchModel, notLoaded, refused, unloaded, wrongDomain } from "./errors.ts";

export type Domain = "llm" | "embedding";

const DEFAULT_WINDOW = 4_096;

/** A model in memory, with the name of this stay in it. */
export interface Instance {
  readonly model: ModelScript;
  readonly loaded: Loaded;
  readonly reference: string;
}

export interface Shelf {
  /** The model's key, where an instance of it was meant. */
  keyOf(name: string | undefined): string | undefined;
  /** Those that LM Studio runs: it has no rankers. */
  installed(): readonly ModelScript[];
  instances(domain: Domain): readonly Instance[];
  /** A loaded model by its specifier; an error of the wire where it is not there. */
  instance(domain: Domain, specifier: unknown): Instance;
  find(domain: Domain, specifier: unknown): Instance | undefined;
  /** An installed model by its key; an error of the wire where it is not there. */
  need(domain: Domain, key: unknown): ModelScript;
  load(
    model: ModelScript,
    wish: { readonly window?: number | undefined; readonly keepAliveMs?: number | undefined },
    gone: AbortSignal,
  ): Promise<Instance>;
}

export const createShelf = (house: House): Shelf => {
  const references = new Map<Loaded["id"], string>();

  const instanceOf = (model: ModelScript): Instance | undefined => {
    const loaded = house.isLoaded(model);
    if (loaded === undefined) {
      references.delete(model.id);
      return undefined;
    }
    const reference = references.get(model.id) ?? randomUUID();
    references.set(model.id, reference);
    return { model, loaded, reference };
  };

  const shelf: Shelf = {
    keyOf: (name) => [...references].find(([, reference]) => reference === name)?.[0] ?? name,
    installed: () => house.models.filter((model) => model.task !== "rerank"),
    instances: (domain) =>
      shelf
        .installed()
        .filter((model) => domainOf(model) === domain)
        .flatMap((model) => instanceOf(model) ?? []),
    find(domain, specifier) {
      const { reference, identifier } = readSpecifier(fieldsOf(specifier));
      const there = shelf.instances(domain);
      if (reference !== undefined) return there.find((one) => one.reference === reference);
      return there.find((one) => identifier === undefined || one.model.id === identifier);
    },
    instance(domain, specifier) {
      const found = shelf.find(domain, specifier);
      if (found !== undefined) return found;
      const { reference, identifier } = readSpecifier(fieldsOf(specifier));
      if (reference !== undefined) throw unloaded();
      throw notLoaded(
        identifier ?? "",
        shelf.instances(domain).map((one) => one.model.id),
      );
    },
    need(domain, key) {
      const known = shelf.installed();
      const model = known.find((one) => one.id === key || pathOf(one) === key);
      if (model === undefined) {
        throw noSuchModel(
          String(key),
          known.map((one) => one.id),
        );
      }
      if (domainOf(model) !== domain) throw wrongDomain(model.id, domainOf(model), domain);
      return model;
    },
    async load(model, { window, keepAliveMs }, gone) {
      const loaded = await house.load(
        model,
        { window: window ?? Math.min(DEFAULT_WINDOW, model.window), keepAliveMs },
        gone,
      );
      if ("refusal" in loaded) throw refused(loaded.refusal);
      const instance = instanceOf(model);
      if (instance === undefined) throw unloaded();
      return instance;
    },
  };
  return shelf;
};

export const modelInfo = (model: ModelScript): JsonObject => ({
  type: domainOf(model),
  modelKey: model.id,
  format: "gguf",
  displayName: model.id,
  publisher: "kit",
  path: pathOf(model),
  indexedModelIdentifier: model.id,
  deviceIdentifier: null,
  sizeBytes: model.sizeBytes ?? 1_000_000,
  architecture: model.task === "embedding" ? "bert" : "llama",
  ...(model.quantization === undefined ? {} : { quantization: { name: model.quantization, bits: 8 } }),
  ...(model.task === "chat"
    ? {
        vision: model.features?.includes("vision") === true,
        trainedForToolUse: model.features?.includes("tools") === true,
      }
    : {}),
  maxContextLength: model.window,
});

export const instanceInfo = ({ model, loaded, reference }: Instance): JsonObject => ({
  ...modelInfo(model),
  identifier: model.id,
  instanceReference: reference,
  contextLength: loaded.window,
  ttlMs: loaded.keepAliveMs === undefined || loaded.keepAliveMs === Infinity ? null : loaded.keepAliveMs,
  lastUsedTime: null,
});

export const loadConfig = ({ model, loaded }: Instance): JsonObject => ({
  fields: [{ key: `${domainOf(model)}.load.contextLength`, value: loaded.window }],
});

const domainOf = (model: ModelScript): Domain => (model.task === "embedding" ? "embedding" : "llm");

const pathOf = (model: ModelScript): string => `kit/${model.id}/${model.id}.gguf`;

const readSpecifier = (specifier: Fields): { readonly reference?: string; readonly identifier?: string } => {
  const reference = stringOf(specifier["instanceReference"]);
  if (reference !== undefined) return { reference };
  const query = fieldsOf(specifier["query"]);
  const identifier = stringOf(query["identifier"]) ?? stringOf(query["path"]);
  return identifier === undefined ? {} : { identifier };
};
