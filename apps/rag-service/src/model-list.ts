/** The models of all providers, as they tell them. */
import {
  LlmError,
  type ModelDescription,
  type ModelInfo,
  type Registry,
  toLlmError,
} from "@enginehouse/llm-core";

import type { Model } from "./api/schemas.ts";
import { licenceName } from "./licence-name.ts";

export interface ModelListing {
  readonly models: readonly Model[];
  /** Providers whose models could not be listed, and why. */
  readonly problems: readonly LlmError[];
}

const LIST_TIMEOUT_MS = 5_000;

type Descriptions = Map<string, Promise<ModelDescription | undefined>>;

/** Every provider has `limitMs`, and one that hangs holds up nobody for longer, whether it heeds its signal or not. */
export async function listModels(
  registry: Registry,
  described: Descriptions,
  limitMs = LIST_TIMEOUT_MS,
): Promise<ModelListing> {
  const models: Model[] = [];
  const problems: LlmError[] = [];
  const results = await Promise.all(
    registry.names().map(async (name) => {
      const signal = AbortSignal.timeout(limitMs);
      try {
        return await beforeAbort(listOf(registry, name, described, signal), signal);
      } catch (error) {
        const late = signal.aborted ? listTimeout(name, limitMs, error) : undefined;
        problems.push(late ?? toLlmError(error, "provider-internal", { provider: name, operation: "list" }));
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

async function listOf(registry: Registry, name: string, described: Descriptions, signal: AbortSignal) {
  const provider = await registry.provider(name);
  const found = (await provider.listModels?.({ signal })) ?? [];
  return Promise.all(
    found.map(async (info) => {
      const key = `${name}/${info.id}`;
      const asked = described.get(key) ?? provider.describeModel?.(info.id, { signal });
      if (asked === undefined) return { info, model: modelOf(name, info, undefined) };
      described.set(key, asked);
      // What could not be described now is asked again next time.
      const description = await asked.catch(() => void described.delete(key));
      return { info, model: modelOf(name, info, description ?? undefined) };
    }),
  );
}

interface WantedModel {
  readonly ref: string;
  readonly task: "chat" | "embedding";
}

/** Models that the configuration names and no list has: there when their provider tells no list, else a problem. */
export async function unlistedModels(
  registry: Registry,
  wanted: readonly WantedModel[],
  listed: ModelListing,
): Promise<ModelListing> {
  const models: Model[] = [];
  const problems: LlmError[] = [];
  const names = registry.names();
  for (const { ref, task } of wanted) {
    const slash = ref.indexOf("/");
    const [name, id] = [ref.slice(0, slash), ref.slice(slash + 1)];
    const known = [...listed.models, ...models].find((model) => model.ref === ref);
    // A provider that could not be asked has said why already.
    if (listed.problems.some(({ provider }) => provider === name)) continue;
    if (known !== undefined && (known.task === task || known.task === "unknown")) continue;
    if (known !== undefined) {
      problems.push(
        unfit(ref, name, `the configuration names "${ref}" for ${task}, but it is made for ${known.task}`),
      );
    } else if (!names.includes(name)) {
      const there = names.length === 0 ? "none is" : `there are: ${names.join(", ")}`;
      problems.push(
        unfit(
          ref,
          undefined,
          `the configuration names "${ref}", but no provider "${name}" is here (${there})`,
        ),
      );
    } else if ((await registry.provider(name)).listModels === undefined) {
      models.push({ ...modelOf(name, { id }, undefined), task });
    } else {
      problems.push(unfit(ref, name, `the configuration names "${ref}", but ${name} does not have it`));
    }
  }
  return { models, problems };
}

function unfit(model: string, provider: string | undefined, message: string): LlmError {
  const hint = "Correct the name in the configuration, or fetch the model, then look again.";
  return new LlmError("model-not-found", message, { model, provider, hint });
}

/** The value, or a rejection as soon as the signal is aborted. */
export async function beforeAbort<Value>(value: Promise<Value>, signal: AbortSignal): Promise<Value> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([value, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function listTimeout(name: string, limitMs: number, cause: unknown): LlmError {
  return new LlmError("timeout", `provider "${name}" did not list its models within ${limitMs / 1000} s`, {
    provider: name,
    operation: "list",
    hint: "See whether its backend is busy or hangs.",
    cause,
  });
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
    license: description?.license === undefined ? undefined : licenceName(description.license),
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
