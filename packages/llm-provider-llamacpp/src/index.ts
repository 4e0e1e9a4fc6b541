import { defineProvider, type ProviderPlugin } from "@enginehouse/llm-core";

import { createLlamacpp as create, type LlamacppProvider } from "./provider.ts";
import { type LlamacppSettings, settings } from "./settings.ts";

const plugin: ProviderPlugin<LlamacppSettings, LlamacppProvider> = defineProvider({
  id: "llamacpp",
  contract: 1,
  features: ["tools", "json-schema", "reasoning"],
  settings,
  create,
});

export default plugin;
export const createLlamacpp = plugin.create;
export type { LlamacppProvider, LlamacppSettings };
export { type CatalogueEntry, catalogue } from "./models/catalogue.ts";
