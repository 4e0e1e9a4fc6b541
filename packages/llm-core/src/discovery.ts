export { discover, type DiscoverOptions, type InstalledDiscovery } from "./discovery/discover.ts";
export type { InstalledPlugin } from "./discovery/plugin.ts";
export { generateStaticImports, type StaticImportsOptions } from "./discovery/static-imports.ts";
export type { Diagnostic, Discovery, ModelFile, PluginCandidate, ProviderManifest } from "./manifest.ts";
