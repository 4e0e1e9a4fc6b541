/** Tokens as the model counts them, else an estimate that is rather too high. */
import type { Provider } from "@enginehouse/llm-core";

import type { ContextBudget, ModelChoice } from "./api/schemas.ts";

/** A message of plain text. */
export interface TextMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** A source costs a few tokens more in its place than alone. */
export const SEAM_TOKENS = 4;

export interface TokenCounter {
  readonly kind: ContextBudget["counted"];
  window(): Promise<number | undefined>;
  messages(messages: readonly TextMessage[]): Promise<number>;
  texts(texts: readonly string[]): Promise<readonly number[]>;
}

export interface TokenCounterOptions {
  readonly provider: Provider;
  readonly target: ModelChoice;
  readonly signal: AbortSignal;
}

export function createTokenCounter({ provider, target, signal }: TokenCounterOptions): TokenCounter {
  const { model } = target;
  const { countTokens, describeModel, loadModel } = provider;
  const described = async () => (await describeModel?.(model, { signal }))?.contextWindow;
  /** Of a model with a long window a server may load a short one; the chat would load it in any case. What went wrong there, the chat will say. */
  const inForce = async () =>
    (await loadModel?.({ model }, { signal }).catch(() => undefined))?.contextWindow ?? (await described());
  if (countTokens === undefined) {
    return {
      kind: "estimate",
      window: inForce,
      messages: async (messages) =>
        estimate(messages.map(({ content }) => content).join("\n")) + 8 * messages.length,
      texts: async (texts) => texts.map(estimate),
    };
  }
  return {
    kind: "model",
    async window() {
      const { window } = await countTokens({ model, texts: [""] }, { signal });
      return window ?? (await inForce());
    },
    messages: async (messages) => (await countTokens({ model, messages }, { signal })).tokens,
    async texts(texts) {
      const { perText } = await countTokens({ model, texts }, { signal });
      return perText ?? texts.map(estimate);
    },
  };
}

/** Three characters are a token: rather too many than too few. */
function estimate(text: string): number {
  return Math.ceil(text.length / 3);
}
