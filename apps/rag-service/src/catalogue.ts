/** Real models that can be fetched: configuration, matched with the providers that are there. */
import type { Registry } from "@enginehouse/llm-core";

import type { CatalogueEntry, Model } from "./api/schemas.ts";
import type { ServiceConfig } from "./config.ts";
import { licenceName } from "./licence-name.ts";
import { entryOf } from "./providers.ts";

/** One entry for each provider that can fetch it. What no provider can fetch is not offered. */
export function listCatalogue(
  registry: Registry,
  config: ServiceConfig,
  installed: readonly Model[],
): CatalogueEntry[] {
  const pullers = pullingProviders(registry, config);
  return config.catalogue.flatMap(({ backend, format, ...entry }) =>
    pullers
      .filter(({ name, formats }) =>
        backend === undefined ? format !== undefined && formats.includes(format) : name === backend,
      )
      .map(({ name }): CatalogueEntry => {
        const there = installed.find((model) => model.providerId === name && isSame(entry.model, model));
        return {
          ...compact(entry),
          backend: name,
          installed: there !== undefined,
          ...(there === undefined ? {} : { ref: there.ref }),
        };
      }),
  );
}

export function pullingProviders(
  registry: Registry,
  config: ServiceConfig,
): { name: string; formats: readonly string[] }[] {
  return registry.names().flatMap((name) => {
    const manifest = entryOf(registry, config, name)?.manifest;
    return manifest?.operations.includes("pull") === true ? [{ name, formats: manifest.modelFormats }] : [];
  });
}

/** A fetched file keeps the last part of the name that it was fetched under. */
function isSame(wanted: string, model: Model): boolean {
  return model.model === wanted || lastPart(model.model) === lastPart(wanted);
}

function lastPart(name: string): string {
  return (name.split(/[/:]/).at(-1) ?? name).toLowerCase().replace(/\.(?:gguf|onnx)$/, "");
}

type Entry = ServiceConfig["catalogue"][number];

function compact({ contextWindow, recommended, ...entry }: Omit<Entry, "backend" | "format">) {
  return {
    ...entry,
    license: licenceName(entry.license),
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(recommended === undefined ? {} : { recommended }),
  };
}
