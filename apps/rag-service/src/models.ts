/** Which models there are, over all providers, and which of them are chosen when nobody chooses. */
import {
  isLlmError,
  LlmError,
  type ModelDescription,
  type ModelInfo,
  type Registry,
  toLlmError,
} from "@enginehouse/llm-core";

import type { Model, ModelChoice } from "./api/schemas.ts";
import type { Embedder, EmbedderSource } from "./embedder.ts";

export interface ModelListing {
  readonly models: readonly Model[];
  /** Providers whose models could not be listed, and why. */
  readonly problems: readonly LlmError[];
}

export interface Models {
  list(): Promise<ModelListing>;
  /** The next look asks the providers again: a model came or went. */
  refresh(): void;
  /** Installed chat models, the real ones first, the newest of them first. */
  chat(): Promise<readonly ModelChoice[]>;
  /** The chosen embedder with its particulars. */
  embedderChoice(): Promise<ModelChoice | undefined>;
  readonly embedder: EmbedderSource;
  /** Throws `model-not-found` with what there is. */
  find(ref: string): Promise<ModelChoice>;
}

/** A list is asked for with every question; the providers are asked once in this time. */
const FRESH_MS = 2_000;
const LIST_TIMEOUT_MS = 5_000;

export function createModels(registry: Registry): Models {
  let listing: { at: number; result: Promise<ModelListing> } | undefined;
  const described = new Map<string, Promise<ModelDescription | undefined>>();
  const embedders = new Map<string, Promise<Embedder>>();

  const list = (): Promise<ModelListing> => {
    if (listing === undefined || performance.now() - listing.at > FRESH_MS) {
      listing = { at: performance.now(), result: listAll(registry, described) };
    }
    return listing.result;
  };

  const choices = async (task: Model["task"]): Promise<Model[]> => {
    const { models } = await list();
    const fit = models.filter(
      (model) => model.task === task && model.installed && model.problem === undefined,
    );
    return [...fit.filter((model) => !model.demonstration), ...fit.filter((model) => model.demonstration)];
  };

  const embedderChoice = async () => {
    const [first] = await choices("embedding");
    return first === undefined ? undefined : choiceOf(first);
  };

  return {
    list,
    refresh() {
      listing = undefined;
      described.clear();
    },
    chat: async () => (await choices("chat")).map(choiceOf),
    embedderChoice,
    async embedder() {
      const choice = await embedderChoice();
      if (choice === undefined) return undefined;
      const known = embedders.get(choice.ref) ?? createEmbedder(registry, choice);
      embedders.set(choice.ref, known);
      known.catch(() => embedders.delete(choice.ref));
      return known;
    },
    async find(ref) {
      const { models, problems } = await list();
      const found = models.find((model) => model.ref === ref);
      if (found !== undefined) {
        if (found.task !== "chat" && found.task !== "unknown") {
          throw new LlmError("unsupported", `"${ref}" is made for ${found.task}, it cannot chat`, {
            provider: found.providerId,
            model: found.model,
            hint: `choose one of: ${namesOf(models)}`,
          });
        }
        return choiceOf(found);
      }
      const slash = ref.indexOf("/");
      const providerId = ref.slice(0, slash);
      const unlisted = problems.find((problem) => problem.provider === providerId);
      if (slash > 0 && unlisted !== undefined) throw unlisted;
      throw new LlmError("model-not-found", `There is no model "${ref.slice(0, 200)}".`, {
        ...(slash > 0 && registry.names().includes(providerId) ? { provider: providerId } : {}),
        hint: `These can be named: ${namesOf(models)}.`,
      });
    },
  };
}

function namesOf(models: readonly Model[]): string {
  const names = models.filter((model) => model.task === "chat").map((model) => model.ref);
  if (names.length === 0) return "none, for no model that can chat is installed";
  return names.length <= 20
    ? names.join(", ")
    : `${names.slice(0, 20).join(", ")} and ${names.length - 20} more`;
}

export function choiceOf({ providerId, model, ref, demonstration }: Model): ModelChoice {
  return { providerId, model, ref, demonstration };
}

async function listAll(
  registry: Registry,
  described: Map<string, Promise<ModelDescription | undefined>>,
): Promise<ModelListing> {
  const models: Model[] = [];
  const problems: LlmError[] = [];
  const known = new Set(registry.list().map((entry) => entry.id));
  const names = registry.names().filter((name) => known.has(name) || registry.list().length === 0);
  const results = await Promise.all(
    names.map(async (name) => {
      try {
        const provider = await registry.provider(name);
        const signal = AbortSignal.timeout(LIST_TIMEOUT_MS);
        const found = (await provider.listModels?.({ signal })) ?? [];
        return await Promise.all(
          found.map(async (info) => {
            const key = `${name}/${info.id}`;
            const description =
              described.get(key) ??
              Promise.resolve(provider.describeModel?.(info.id, { signal })).catch(() => undefined);
            described.set(key, description);
            return { info, model: modelOf(name, info, await description) };
          }),
        );
      } catch (error) {
        const known = toLlmError(error, "provider-internal", { provider: name, operation: "list" });
        problems.push(known.code === "aborted" ? listTimeout(name, known) : known);
        return [];
      }
    }),
  );
  for (const found of results) {
    const newest = found.toSorted((a, b) => timeOf(b.info) - timeOf(a.info));
    models.push(...newest.map(({ model }) => model));
  }
  return { models, problems };
}

function listTimeout(name: string, cause: LlmError): LlmError {
  return new LlmError(
    "timeout",
    `provider "${name}" did not list its models within ${LIST_TIMEOUT_MS / 1000} s`,
    {
      provider: name,
      operation: "list",
      hint: "See whether its backend is busy or hangs.",
      cause,
    },
  );
}

function timeOf(info: ModelInfo): number {
  return info.modifiedAt?.getTime() ?? 0;
}

function modelOf(providerId: string, info: ModelInfo, description: ModelDescription | undefined): Model {
  const optional = {
    loaded: info.loaded,
    bytes: info.sizeBytes ?? description?.sizeBytes,
    contextWindow: description?.contextWindow,
    quantization: info.quantization ?? description?.quantization,
    dimensions: description?.dimensions,
    license: description?.license,
    note: info.note ?? description?.note,
    problem: info.problem ?? description?.problem,
  };
  return {
    ref: `${providerId}/${info.id}`,
    providerId,
    model: info.id,
    name: nameOf(info.id),
    task: info.task ?? description?.task ?? taskOf(description),
    installed: true,
    demonstration: info.demonstration ?? description?.demonstration ?? false,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

function taskOf(description: ModelDescription | undefined): Model["task"] {
  const can = description?.capabilities;
  if (can?.chat.value === "yes") return "chat";
  if (can?.embedding.value === "yes") return "embedding";
  if (can?.rerank.value === "yes") return "rerank";
  return "unknown";
}

/** For people: without folders and the file's ending. */
function nameOf(id: string): string {
  const last = id.split("/").at(-1) ?? id;
  return last.replace(/\.[a-z]{3,5}$/i, "");
}

async function createEmbedder(registry: Registry, { providerId, model }: ModelChoice): Promise<Embedder> {
  const provider = await registry.provider(providerId);
  const { embed, countTokens, describeModel } = provider;
  if (embed === undefined)
    throw new LlmError("unsupported", `provider "${providerId}" cannot embed`, { provider: providerId });
  const description = await describeModel?.(model).catch((error: unknown) => {
    if (isLlmError(error) && error.code === "model-not-found") throw error;
    return undefined;
  });
  const dimensions =
    description?.dimensions ?? (await embed({ model, texts: ["dimensions"] })).vectors[0]?.length ?? 0;
  return {
    provider: providerId,
    model,
    dimensions,
    maxTokens: description?.maxInputTokens ?? description?.contextWindow,
    async embed(texts, purpose, options = {}) {
      return (await embed({ model, texts, purpose }, options)).vectors;
    },
    ...(countTokens === undefined
      ? {}
      : {
          countTokens: async (text, options = {}) =>
            (await countTokens({ model, texts: [text] }, options)).tokens,
        }),
  };
}
