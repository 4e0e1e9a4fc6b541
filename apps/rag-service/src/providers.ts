/** The providers that the application's package.json names: discovered, never imported by name. */
import {
  type AnyPlugin,
  createRegistry,
  type PluginEntry,
  type ProviderManifest,
  type Registry,
} from "@enginehouse/llm-core";
import { discover } from "@enginehouse/llm-core/discovery";

import type { Diagnostic, Health, Provider } from "./api/schemas.ts";
import type { ServiceConfig, ServiceSettings } from "./settings.ts";

/** A plugin given by hand, as tests and bundled applications do. */
export interface RegisteredPlugin {
  readonly plugin: AnyPlugin;
  readonly manifest?: ProviderManifest;
}

export async function openRegistry(
  { application, config }: Pick<ServiceSettings, "application" | "config">,
  registered: readonly RegisteredPlugin[] = [],
): Promise<Registry> {
  const discovery = await discover({ from: application, deny: config.deny });
  const plugins = new Set([
    ...discovery.plugins.map(({ manifest }) => manifest.id),
    ...registered.map(({ plugin }) => plugin.id),
  ]);
  // Settings may be there for a provider that is not installed: it is not listed then, and not an error.
  const known = Object.entries(config.providers).filter(([name, choice]) =>
    plugins.has(choice.plugin ?? name),
  );
  const registry = createRegistry({ discovery, providers: Object.fromEntries(known) });
  for (const { plugin, manifest } of registered) registry.register(plugin, manifest);
  return registry;
}

/** The plugin behind a name: one plugin can be used under several. */
export function entryOf(registry: Registry, config: ServiceConfig, name: string): PluginEntry | undefined {
  const id = config.providers[name]?.plugin ?? name;
  return registry.list().find((entry) => entry.id === id);
}

export async function listProviders(registry: Registry, config: ServiceConfig): Promise<Provider[]> {
  return Promise.all(
    registry.names().map(async (name): Promise<Provider> => {
      const entry = entryOf(registry, config, name);
      return {
        id: name,
        ...(entry?.packageName === undefined ? {} : { package: entry.packageName }),
        ...(entry?.packageVersion === undefined ? {} : { packageVersion: entry.packageVersion }),
        operations: [...(entry?.manifest?.operations ?? [])],
        features: [...(entry?.manifest?.features ?? [])],
        modelFormats: [...(entry?.manifest?.modelFormats ?? [])],
        health: await probe(registry, name),
      };
    }),
  );
}

/** Whether the backend can be used now, and what to do when not. Never rejects. */
export async function probe(registry: Registry, name: string, signal?: AbortSignal): Promise<Health> {
  const checkedAt = new Date().toISOString();
  try {
    const provider = await registry.provider(name);
    if (provider.health === undefined) return { status: "unknown", checkedAt };
    const { status, version, message, hint } = await provider.health({ signal });
    return {
      status,
      ...(version === undefined ? {} : { version }),
      ...(message === undefined ? {} : { message }),
      ...(hint === undefined ? {} : { hint }),
      checkedAt,
    };
  } catch (error) {
    const { message, hint } = error as Error & { hint?: string };
    return { status: "down", message, ...(hint === undefined ? {} : { hint }), checkedAt };
  }
}

export function listDiagnostics(registry: Registry): Diagnostic[] {
  return registry.diagnostics().map(({ packageName, id, status, code, message, hint }) => ({
    package: packageName,
    ...(id === undefined ? {} : { providerId: id }),
    status,
    ...(code === undefined ? {} : { code }),
    message,
    ...(hint === undefined ? {} : { hint }),
  }));
}
