/** The providers that the application's package.json names: discovered, never imported by name. */
import {
  type AnyPlugin,
  createRegistry,
  isLlmError,
  LlmError,
  type PluginEntry,
  type ProviderManifest,
  type Registry,
} from "@enginehouse/llm-core";
import { discover } from "@enginehouse/llm-core/discovery";

import type { Diagnostic, Health, Provider } from "./api/schemas.ts";
import type { ServiceConfig } from "./config.ts";
import type { ServiceSettings } from "./settings.ts";

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
  // Settings may be there for a provider that is not installed: it is not listed then; see `listDiagnostics`.
  const known = Object.entries(config.providers).filter(([name, choice]) =>
    plugins.has(choice.plugin ?? name),
  );
  const registry = createRegistry({ discovery, providers: Object.fromEntries(known) });
  for (const { plugin, manifest } of registered) registry.register(plugin, manifest);
  const named = new Set(known.map(([name]) => name));
  const used = new Set(known.map(([name, { plugin = name }]) => plugin));
  return {
    ...registry,
    // A plugin that is used under other names is not also listed, unset, under its own.
    names: () => registry.names().filter((name) => named.has(name) || !used.has(name)),
    provider: (name) =>
      registry.provider(name).catch((error: unknown) => Promise.reject(placed(error, config))),
    resolve: (ref) => registry.resolve(ref).catch((error: unknown) => Promise.reject(placed(error, config))),
  };
}

/** Wrong settings are corrected in a file, and the person is told in which. */
function placed(error: unknown, { file }: ServiceConfig): unknown {
  if (!isLlmError(error) || error.code !== "invalid-settings" || error.provider === undefined) return error;
  const place = `Correct "providers.${error.provider}.settings" in ${file}, then start the service again.`;
  const hint = error.hint === undefined ? place : `${error.hint} ${place}`;
  const { provider, phase } = error;
  return new LlmError(error.code, error.message, { provider, phase, hint, cause: error });
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

export function listDiagnostics(registry: Registry, config: ServiceConfig): Diagnostic[] {
  const found = registry.diagnostics().map(({ packageName, id, status, code, message, hint }) => ({
    package: packageName,
    ...(id === undefined ? {} : { providerId: id }),
    status,
    ...(code === undefined ? {} : { code }),
    message,
    ...(hint === undefined ? {} : { hint }),
  }));
  return [...found, ...notInstalled(registry, config)];
}

/** Providers that the user's own configuration names, and whose plugin is not here. */
function notInstalled(registry: Registry, { own, providers, file }: ServiceConfig): Diagnostic[] {
  const plugins = registry.list().map(({ id }) => id);
  return own.flatMap((name): Diagnostic[] => {
    const plugin = providers[name]?.plugin ?? name;
    if (plugins.includes(plugin)) return [];
    const there = plugins.length === 0 ? "none is" : `installed: ${plugins.join(", ")}`;
    return [
      {
        package: name,
        providerId: name,
        status: "failed",
        code: "invalid-settings",
        message: `${file} configures "${name}", but its plugin "${plugin}" is not installed (${there}).`,
        hint: "Install its package beside the service, or correct the name.",
      },
    ];
  });
}
