/** The models of all providers, as they tell them. */
import {
  LlmError,
  type ModelDescription,
  type ModelInfo,
  type Registry,
  toLlmError,
} from "@enginehouse/llm-core";

import type { Model } from "./api/schemas.ts";

export interface ModelListing {
  readonly models: readonly Model[];
  /** Providers whose models could not be listed, and why. */
  readonly problems: readonly LlmError[];
}

const LIST_TIMEOUT_MS = 5_000;

export async function listModels(
  registry: Registry,
  described: Map<string, Promise<ModelDescription | undefined>>,
): Promise<ModelListing> {
  const models: Model[] = [];
  const problems: LlmError[] = [];
  const results = await Promise.all(
    registry.names().map(async (name) => {
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
