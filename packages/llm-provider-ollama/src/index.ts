import { defineProvider, type ProviderPlugin } from "@enginehouse/llm-core";

import { createOllama as create, type OllamaProvider } from "./provider.ts";
import { type OllamaSettings, settings } from "./settings.ts";

const plugin: ProviderPlugin<OllamaSettings, OllamaProvider> = defineProvider({
  id: "ollama",
  contract: 1,
  features: ["tools", "json-schema", "reasoning", "vision"],
  settings,
  create,
});

export default plugin;
export const createOllama = plugin.create;
export type { OllamaProvider, OllamaSettings };
export { copyModel } from "./models/copy.ts";
export { createModel, type CreateModelRequest, type CreateProgress } from "./models/create.ts";
