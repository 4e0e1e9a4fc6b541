import { LlmError } from "./errors.ts";
import { hostProvider } from "./host.ts";
import type { ModelFile } from "./manifest.ts";
import type { Feature, Provider } from "./provider.ts";
import type { SettingsSchema } from "./schema.ts";

/** What a plugin's author writes. */
export interface ProviderDefinition<Settings, Made extends Provider> {
  /** Equal to the manifest's id. */
  readonly id: string;
  /** Equal to the manifest's contract version. */
  readonly contract: number;
  /** Equal to the manifest's features. What is not here is refused before the provider is called. */
  readonly features?: readonly Feature[] | undefined;
  /** Strict: an unknown key is an issue that names its path. It checks and changes nothing: `create` gets what the application gave. */
  readonly settings: SettingsSchema<Settings>;
  /** Does nothing but make the object: no socket, file, environment or console before the first operation, and no look at the settings' values. */
  readonly create: (settings: Settings, host: Host) => Made;
}

/** What the application gives a provider beside its settings. */
export interface Host {
  /** The name the provider is made under. */
  readonly name: string;
  /** Model files of installed packages, in the formats that the plugin reads. They count as installed. */
  readonly models: readonly ModelFile[];
}

export interface ProviderPlugin<Settings = never, Made extends Provider = Provider> {
  readonly id: string;
  readonly contract: number;
  readonly features: readonly Feature[];
  readonly settings: SettingsSchema<unknown>;
  /** The provider, with the promises that the core keeps for every plugin around it. Settings are checked at its first operation. */
  readonly create: (settings?: Settings, host?: Partial<Host>) => Made;
}

/** A plugin of any settings, as a registry handles it. */
export type AnyPlugin = Omit<ProviderPlugin, "create"> & {
  readonly create: (settings?: never, host?: Partial<Host>) => Provider;
};

/** What is left of a provider with the core around it. */
export type Hosted<Made extends Provider> = Provider & Pick<Made, keyof Made & keyof Provider>;

const MARKER = Symbol.for("enginehouse.provider-plugin");

/** Makes a plugin's default export. Of what `create` gives, the contract's methods pass and no others. */
export function defineProvider<Settings, Made extends Provider>(
  definition: ProviderDefinition<Settings, Made>,
): ProviderPlugin<Settings, Hosted<Made>> {
  const { id, contract, settings, create } = definition;
  const features = definition.features ?? [];
  assertSchema(id, settings);
  const plugin: ProviderPlugin<Settings, Hosted<Made>> = {
    id,
    contract,
    features,
    settings,
    create(given, host = {}) {
      const name = host.name ?? id;
      const chosen = (given ?? {}) as Settings;
      const made = create(chosen, { name, models: host.models ?? [] });
      return hostProvider(made, { name, features, settings, given: chosen });
    },
  };
  return Object.defineProperty(plugin, MARKER, { value: true });
}

/** Types do not hold where a plugin is written in plain JavaScript. */
function assertSchema(id: string, settings: Partial<SettingsSchema> | null | undefined): void {
  if (typeof settings?.["~standard"]?.validate === "function") return;
  throw new LlmError("plugin-invalid", `the settings of "${id}" are no Standard Schema`, {
    hint: "give a schema also where there is nothing to set, such as z.strictObject({}) of zod",
  });
}

/** True for what `defineProvider` of any copy of this package made. */
export function isProviderPlugin(value: unknown): value is AnyPlugin {
  return typeof value === "object" && value !== null && MARKER in value;
}
