import { defineProvider, type ProviderPlugin } from "@enginehouse/llm-core";

import { createEcho as create, type EchoProvider } from "./provider.ts";
import { type EchoSettings, settings } from "./settings.ts";

const plugin: ProviderPlugin<EchoSettings, EchoProvider> = defineProvider({
  id: "echo",
  contract: 1,
  features: ["tools", "json-schema", "reasoning"],
  settings,
  create,
});

export default plugin;
export const createEcho = plugin.create;
export type { EchoProvider, EchoSettings };
