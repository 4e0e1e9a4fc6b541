/** Which models there are, over all providers, and which of them are chosen when nobody chooses. */
import { LlmError, type ModelDescription, type Registry } from "@enginehouse/llm-core";

import type { Model, ModelChoice } from "./api/schemas.ts";
import type { Embedder, EmbedderSource } from "./embedder.ts";
import { listModels, type ModelListing, unlistedModels } from "./model-list.ts";
import { createProviderEmbedder } from "./provider-embedder.ts";

export interface Models {
  list(): Promise<ModelListing>;
  /** The next look asks the providers again: a model came or went. */
  refresh(): void;
  /** Installed chat models: those of the configuration in its order, then the real ones, the newest first. */
  chat(): Promise<readonly ModelChoice[]>;
  /** The model that makes the vectors. The configured one and no other, for another would make them all anew. */
  embedderChoice(): Promise<ModelChoice | undefined>;
  readonly embedder: EmbedderSource;
  /** Throws `model-not-found` with what there is. */
  find(ref: string): Promise<ModelChoice>;
}

/** A list is asked for with every question; the providers are asked once in this time. */
const FRESH_MS = 2_000;

/** What the configuration says about who is asked. */
export interface Preferences {
  readonly chat: readonly string[];
  readonly embedding?: string | undefined;
}

export function createModels(
  registry: Registry,
  preferences: Preferences = { chat: [] },
  listTimeoutMs?: number,
): Models {
  let listing: { at: number; result: Promise<ModelListing> } | undefined;
  const described = new Map<string, Promise<ModelDescription | undefined>>();
  const embedders = new Map<string, Promise<Embedder>>();

  const list = (): Promise<ModelListing> => {
    if (listing === undefined || performance.now() - listing.at > FRESH_MS) {
      listing = { at: performance.now(), result: listAll() };
    }
    return listing.result;
  };

  const listAll = async (): Promise<ModelListing> => {
    const { models, problems } = await listModels(registry, described, listTimeoutMs);
    const wanted = [
      ...preferences.chat.map((ref) => ({ ref, task: "chat" as const })),
      ...(preferences.embedding === undefined
        ? []
        : [{ ref: preferences.embedding, task: "embedding" as const }]),
    ];
    const more = await unlistedModels(registry, wanted, { models, problems });
    return { models: [...models, ...more.models], problems: [...problems, ...more.problems] };
  };

  const choices = async (task: Model["task"]): Promise<Model[]> => {
    const { models } = await list();
    const usable = models.filter((model) => model.installed && model.problem === undefined);
    const fit = usable.filter((model) => model.task === task);
    return [...fit.filter((model) => !model.demonstration), ...fit.filter((model) => model.demonstration)];
  };

  /** A model by the name that the configuration gives it; what it is for, the configuration knows best. */
  const named = async (ref: string, task: Model["task"]): Promise<Model | undefined> => {
    const { models } = await list();
    const found = models.find((model) => model.ref === ref && model.problem === undefined);
    return found?.task === task || found?.task === "unknown" ? found : undefined;
  };

  const chat = async (): Promise<readonly ModelChoice[]> => {
    const first = await Promise.all(preferences.chat.map((ref) => named(ref, "chat")));
    const all = [...first.filter((model) => model !== undefined), ...(await choices("chat"))];
    return [...new Map(all.map((model) => [model.ref, choiceOf(model)])).values()];
  };

  const embedderChoice = async () => {
    const { embedding } = preferences;
    const found =
      embedding === undefined ? (await choices("embedding"))[0] : await named(embedding, "embedding");
    return found === undefined ? undefined : choiceOf(found);
  };

  return {
    list,
    refresh() {
      listing = undefined;
      described.clear();
    },
    chat,
    embedderChoice,
    async embedder() {
      const choice = await embedderChoice();
      if (choice === undefined) return undefined;
      const known = embedders.get(choice.ref) ?? createProviderEmbedder(registry, choice);
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

export function choiceOf({ providerId, model, ref, demonstration }: Model): ModelChoice {
  return { providerId, model, ref, demonstration };
}

function namesOf(models: readonly Model[]): string {
  const names = models.filter(({ task }) => task === "chat" || task === "unknown").map((model) => model.ref);
  if (names.length === 0) return "none, for no model that can chat is installed";
  return names.length <= 20
    ? names.join(", ")
    : `${names.slice(0, 20).join(", ")} and ${names.length - 20} more`;
}
