/** A model of a provider as the embedder of the index. */
import { isLlmError, LlmError, type Registry } from "@enginehouse/llm-core";

import type { ModelChoice } from "./api/schemas.ts";
import type { Embedder } from "./embedder.ts";
import { beforeAbort } from "./model-list.ts";

const DESCRIBE_TIMEOUT_MS = 10_000;

export async function createProviderEmbedder(
  registry: Registry,
  { providerId, model }: ModelChoice,
): Promise<Embedder> {
  const provider = await registry.provider(providerId);
  const { embed, countTokens, describeModel } = provider;
  if (embed === undefined)
    throw new LlmError("unsupported", `provider "${providerId}" cannot embed`, { provider: providerId });
  const signal = AbortSignal.timeout(DESCRIBE_TIMEOUT_MS);
  const asked =
    describeModel === undefined ? undefined : beforeAbort(describeModel(model, { signal }), signal);
  const description = await asked?.catch((error: unknown) => {
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
