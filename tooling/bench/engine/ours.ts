// The same through the provider, which the registry finds and imports.
import { createRegistry, LlmError, requireOperation } from "@enginehouse/llm-core";
import { discover } from "@enginehouse/llm-core/discovery";

import { SAMPLING, type Setting, type Talker, THREADS, WINDOW } from "./setting.ts";

export async function createOurs(
  { model: { id }, parallel }: Setting,
  isolation: "none" | "process",
): Promise<Talker> {
  const settings = {
    isolation,
    parallel,
    gpu: false,
    threads: THREADS,
    contextWindow: WINDOW,
    allowPaths: true,
  };
  const discovery = await discover({ from: import.meta.url });
  const registry = createRegistry({ discovery, providers: { bench: { plugin: "llamacpp", settings } } });
  const stream = requireOperation(await registry.provider("bench"), "chat");

  return {
    async chat(messages, maxTokens) {
      const began = performance.now();
      let text = "";
      let firstMs = Number.NaN;
      for await (const event of stream({ ...SAMPLING, model: id, messages, maxTokens })) {
        if (event.type === "text-delta") {
          if (text === "") firstMs = performance.now() - began;
          text += event.text;
        }
        if (event.type !== "finish") continue;
        const { inputTokens = Number.NaN, outputTokens = Number.NaN, cachedInputTokens = 0 } = event.usage;
        return {
          text,
          promptTokens: inputTokens,
          evaluatedTokens: inputTokens - cachedInputTokens,
          outputTokens,
          firstMs,
        };
      }
      throw new LlmError("stream-interrupted", "the answer has no end");
    },
    close: () => registry.close(),
  };
}
