import { defineProvider, type ProviderPlugin } from "@enginehouse/llm-core";

import { createOpenai as create, type OpenaiProvider } from "./provider.ts";
import { type OpenaiSettings, settings } from "./settings.ts";

const plugin: ProviderPlugin<OpenaiSettings, OpenaiProvider> = defineProvider({
  id: "openai",
  contract: 1,
  features: ["tools", "json-schema", "reasoning", "vision"],
  settings,
  create,
});

export default plugin;
export const createOpenai = plugin.create;
export type { OpenaiProvider, OpenaiSettings };
