import {
  type AnyPlugin,
  defineProvider,
  type Feature,
  type Host,
  type JsonObject,
  OPERATIONS,
  type Operation,
  type Provider,
  type SettingsSchema,
} from "@enginehouse/llm-core";

import { type Parts, PARTS } from "./parts.ts";
import { createReference } from "./provider.ts";
import { type ReferenceSettings, SETTINGS_SCHEMA, settingsOf } from "./settings.ts";

/** What a plugin differs in from the reference. */
export interface Changes {
  readonly parts?: Partial<Parts> | undefined;
  /** Replaces methods, below the promises that the core keeps. */
  readonly inside?: ((provider: Required<Provider>, settings: ReferenceSettings) => Provider) | undefined;
  /** Replaces methods, above them: what a plugin that the core does not stand around may do. */
  readonly outside?: ((provider: Required<Provider>, settings: ReferenceSettings) => Provider) | undefined;
  readonly settings?: SettingsSchema<ReferenceSettings> | undefined;
  readonly id?: string | undefined;
  readonly contract?: number | undefined;
  readonly features?: readonly Feature[] | undefined;
}

export const REFERENCE_ID = "reference";
export const REFERENCE_FEATURES: readonly Feature[] = ["tools", "json-schema", "reasoning", "vision"];
export const REFERENCE_OPERATIONS = Object.keys(OPERATIONS) as readonly Operation[];

/** The reference, with the core around it as `defineProvider` puts it. */
export function referencePlugin(changes: Changes = {}): AnyPlugin {
  const { inside = (provider) => provider, outside } = changes;
  const plugin = defineProvider<ReferenceSettings, Provider>({
    id: changes.id ?? REFERENCE_ID,
    contract: changes.contract ?? 1,
    features: changes.features ?? REFERENCE_FEATURES,
    settings: changes.settings ?? referenceSettings(),
    create: (settings, host) =>
      inside(createReference(settings, host, { ...PARTS, ...changes.parts }), settings),
  });
  if (outside === undefined) return plugin;
  return marked({
    ...plugin,
    create: (settings?: ReferenceSettings, host?: Partial<Host>) =>
      outside(plugin.create(settings, host) as Required<Provider>, settings ?? {}),
  });
}

/** The same without the core around it, as a stranger may write one by hand: nothing is healed. */
export function handmadePlugin(changes: Omit<Changes, "outside"> = {}): AnyPlugin {
  const { inside = (provider) => provider } = changes;
  return marked({
    id: changes.id ?? REFERENCE_ID,
    contract: changes.contract ?? 1,
    features: changes.features ?? REFERENCE_FEATURES,
    settings: changes.settings ?? referenceSettings(),
    create: (settings: ReferenceSettings = {}, host: Partial<Host> = {}) =>
      inside(
        createReference(
          settings,
          { name: host.name ?? REFERENCE_ID, models: [] },
          { ...PARTS, ...changes.parts },
        ),
        settings,
      ),
  });
}

export const referenceSettings = (schema: JsonObject = SETTINGS_SCHEMA): SettingsSchema<ReferenceSettings> =>
  settingsOf(schema);

const MARKER = Symbol.for("enginehouse.provider-plugin");

const marked = (plugin: object): AnyPlugin =>
  Object.defineProperty(plugin, MARKER, { value: true }) as AnyPlugin;
