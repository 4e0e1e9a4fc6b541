import { fileURLToPath } from "node:url";

import { findModel } from "@enginehouse/vitest-preset/live";

export { type LlamaServer, startLlama } from "@enginehouse/vitest-preset/llama-server";

export const CHAT_MODEL = findModel("SmolLM2-135M-Instruct.Q4_1.gguf");
/** Small, and made to call tools. */
export const CALLER = fileURLToPath(
  new URL("../../../llm-reference-model/models/chat/reference-model-q8_0.gguf", import.meta.url),
);
export const EMBEDDER = findModel("all-MiniLM-L6-v2-q8_0.gguf");
