import { defineProvider, type ProviderPlugin } from "@enginehouse/llm-core";

import { type AcmeProvider, createAcme as create } from "./provider.ts";
import { type AcmeSettings, settings } from "./settings.ts";

const plugin: ProviderPlugin<AcmeSettings, AcmeProvider> = defineProvider({
  id: "acme",
  contract: 1,
  features: ["tools", "json-schema", "reasoning"],
  settings,
  create,
});

export default plugin;
export const createAcme = plugin.create;
export type { AcmeProvider, AcmeSettings };
