import { type AnyPlugin, isProviderPlugin } from "./define.ts";
import { isLlmError, LlmError, toLlmError } from "./errors.ts";
import type {
  Diagnostic,
  Discovery,
  ModelFile,
  ModelFormat,
  PluginCandidate,
  ProviderManifest,
} from "./manifest.ts";
import { CONTRACT_VERSION, type Provider } from "./provider.ts";
import { issueText } from "./schema.ts";

export interface RegistryOptions {
  /** What `discover` of the subpath `./discovery` found. Left out: only what is registered. */
  readonly discovery?: Discovery | undefined;
  /** Providers under names of the application's own. Every plugin also answers to its id, with default settings. */
  readonly providers?: Readonly<Record<string, ProviderChoice>> | undefined;
  /** How long a plugin's import may take, in milliseconds. Default 10 000. */
  readonly importTimeoutMs?: number | undefined;
}

export interface ProviderChoice {
  /** Id of the plugin. Default: the name. */
  readonly plugin?: string | undefined;
  readonly settings?: object | undefined;
}

export interface PluginEntry {
  readonly id: string;
  /** From which package; `undefined` for one that was registered by hand. */
  readonly packageName?: string | undefined;
  readonly packageVersion?: string | undefined;
  readonly manifest?: ProviderManifest | undefined;
}

export interface Registry {
  /** Adds a plugin by hand. It wins over a discovered one of the same id; a second registration of an id is `plugin-duplicate`. */
  register(plugin: AnyPlugin, manifest?: ProviderManifest): void;
  /** The plugins, from manifests alone: nothing is imported. */
  list(): readonly PluginEntry[];
  /** The names that `provider` knows: those configured, then the plugins' ids. */
  names(): readonly string[];
  /** The model files of installed packages. */
  models(format?: ModelFormat): readonly ModelFile[];
  /** The provider of that name, imported and made at first use, then always the same one. */
  provider(name: string): Promise<Provider>;
  /** `provider/model`, split at the first slash. */
  resolve(reference: string): Promise<{ readonly provider: Provider; readonly model: string }>;
  /** For every package that was looked at, why it was or was not used. */
  diagnostics(): readonly Diagnostic[];
  /** Closes every provider that was made. */
  close(): Promise<void>;
}

interface Known extends PluginEntry {
  readonly load: () => Promise<AnyPlugin>;
}

export function createRegistry(options: RegistryOptions = {}): Registry {
  const { discovery, providers: choices = {}, importTimeoutMs = 10_000 } = options;
  const known = new Map<string, Known>();
  const registered = new Set<string>();
  const made = new Map<string, Promise<Provider>>();
  const failures = new Map<string, Diagnostic>();
  let closing: Promise<void> | undefined;

  for (const candidate of discovery?.plugins ?? []) {
    const { packageName, packageVersion, manifest } = candidate;
    const load = loader(candidate, importTimeoutMs);
    known.set(manifest.id, { id: manifest.id, packageName, packageVersion, manifest, load });
  }

  const create = async (name: string): Promise<Provider> => {
    const choice = Object.hasOwn(choices, name) ? choices[name] : undefined;
    const id = choice?.plugin ?? name;
    const entry = known.get(id);
    if (entry === undefined) throw notInstalled(id, known);
    const plugin = await entry.load().catch((error: unknown) => {
      const fault = toLlmError(error, "plugin-load-failed", { provider: name });
      failures.set(id, {
        packageName: entry.packageName ?? id,
        packageVersion: entry.packageVersion,
        id,
        status: "failed",
        code: fault.code,
        message: fault.message,
        hint: fault.hint,
      });
      throw fault;
    });
    failures.delete(id);
    const settings = choice?.settings ?? {};
    const { issues } = await checked(name, () => plugin.settings["~standard"].validate(settings));
    if (issues !== undefined) {
      throw new LlmError("invalid-settings", `settings of "${name}": ${issues.map(issueText).join("; ")}`, {
        provider: name,
        phase: "settings",
      });
    }
    const formats = entry.manifest?.modelFormats;
    const models = (discovery?.models ?? []).filter((model) => formats?.includes(model.format) ?? true);
    return checked(name, () => plugin.create(settings as never, { name, models }));
  };

  const provider = (name: string): Promise<Provider> => {
    if (closing !== undefined) return Promise.reject(new LlmError("shut-down", "the registry was closed"));
    const there = made.get(name);
    if (there !== undefined) return there;
    const making = create(name);
    made.set(name, making);
    // A failure is not kept: the plugin may be repaired, or its import was merely slow.
    making.catch(() => made.delete(name));
    return making;
  };

  return {
    provider,
    register(plugin, manifest) {
      assertPlugin(plugin, "the registered plugin", manifest);
      if (registered.has(plugin.id)) {
        throw new LlmError("plugin-duplicate", `a plugin with the id "${plugin.id}" is registered already`);
      }
      registered.add(plugin.id);
      known.set(plugin.id, { id: plugin.id, manifest, load: () => Promise.resolve(plugin) });
    },
    list: () => [...known.values()].map(({ load: _, ...entry }) => entry),
    names: () => [...new Set([...Object.keys(choices), ...known.keys()])],
    models: (format) =>
      (discovery?.models ?? []).filter((model) => format === undefined || model.format === format),
    async resolve(reference) {
      const slash = reference.indexOf("/");
      if (slash < 1 || slash === reference.length - 1) {
        throw new LlmError("invalid-request", `"${reference}" is no model reference; write provider/model`);
      }
      return { provider: await provider(reference.slice(0, slash)), model: reference.slice(slash + 1) };
    },
    diagnostics: () =>
      (discovery?.diagnostics ?? []).map((row) => {
        if (row.status !== "used" || row.id === undefined) return row;
        if (!registered.has(row.id)) return failures.get(row.id) ?? row;
        return {
          ...row,
          status: "ignored",
          message: `the application registered its own plugin "${row.id}"`,
        };
      }),
    close: () =>
      (closing ??= (async () => {
        const all = await Promise.allSettled(made.values());
        const closed = await Promise.allSettled(
          all.flatMap((one) => (one.status === "fulfilled" ? [one.value.close()] : [])),
        );
        for (const one of closed) if (one.status === "rejected") throw one.reason;
      })()),
  };
}

/** What a plugin throws outside of a provider's methods is named like everything else. */
async function checked<Value>(provider: string, run: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await run();
  } catch (error) {
    throw toLlmError(error, "provider-internal", { provider, phase: "settings" });
  }
}

async function importPlugin(
  { packageName, packageVersion, manifest }: PluginCandidate,
  importing: Promise<unknown>,
  limit: number,
): Promise<AnyPlugin> {
  const from = `${packageName}@${packageVersion}`;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    // A timer longer than 2^31 ms would fire at once.
    if (limit >= 2 ** 31) return;
    timer = setTimeout(() => {
      reject(
        new LlmError("plugin-load-failed", `${from} was not imported within ${limit / 1_000} s`, {
          hint: "its module waits for something while it is imported; report it to its author",
        }),
      );
    }, limit);
  });
  try {
    const module = await Promise.race([importing, late]);
    const plugin =
      typeof module === "object" && module !== null && "default" in module ? module.default : undefined;
    assertPlugin(plugin, from, manifest);
    return plugin;
  } catch (error) {
    if (isLlmError(error)) throw error;
    throw new LlmError("plugin-load-failed", `${from} could not be imported: ${textOf(error)}`, {
      hint: `reinstall ${packageName}, or report it to its author`,
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

function assertPlugin(
  value: unknown,
  from: string,
  manifest: ProviderManifest | undefined,
): asserts value is AnyPlugin {
  const invalid = (says: string): never => {
    throw new LlmError("plugin-invalid", `${from}: ${says}`, { hint: "report it to the plugin's author" });
  };
  if (!isProviderPlugin(value)) return invalid("the default export was not made by defineProvider");
  if (!Number.isInteger(value.contract)) return invalid("its contract is no whole number");
  if (value.contract > CONTRACT_VERSION || value.contract < CONTRACT_VERSION - 1) {
    throw incompatible(from, value.contract);
  }
  if (manifest === undefined) return undefined;
  if (value.id !== manifest.id) invalid(`the manifest says id "${manifest.id}", the export "${value.id}"`);
  if (value.contract !== manifest.contract) {
    invalid(`the manifest says contract ${manifest.contract}, the export ${value.contract}`);
  }
  const declared = [...manifest.features].sort().join(", ");
  const exported = [...value.features].sort().join(", ");
  if (declared !== exported) invalid(`the manifest says features [${declared}], the export [${exported}]`);
  return undefined;
}

/** The refusal of a plugin that speaks another contract. */
export function incompatible(from: string, contract: number): LlmError {
  const name = from.replace(/(?<=.)@[^@]*$/, "");
  const plugin = contract < CONTRACT_VERSION;
  return new LlmError(
    "plugin-incompatible",
    `${from} speaks contract ${contract}, this host speaks ${CONTRACT_VERSION}`,
    {
      hint: plugin
        ? `npm install ${name}@latest, or a version of it made for contract ${CONTRACT_VERSION}`
        : `npm install @enginehouse/llm-core@latest, or a version of ${name} made for contract ${CONTRACT_VERSION}`,
    },
  );
}

function notInstalled(id: string, known: ReadonlyMap<string, unknown>): LlmError {
  const installed = known.size === 0 ? "none is" : `installed: ${[...known.keys()].join(", ")}`;
  return new LlmError("invalid-request", `no provider "${id}" is installed (${installed})`, {
    provider: id,
    hint: "install the package of that provider in the application, or correct the name",
  });
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** After a failure it imports anew; but an import that was too slow is not waited for again before it has ended. */
function loader(candidate: PluginCandidate, limit: number): () => Promise<AnyPlugin> {
  let plugin: Promise<AnyPlugin> | undefined;
  return () => {
    if (plugin !== undefined) return plugin;
    const importing = (async () => candidate.load())();
    plugin = importPlugin(candidate, importing, limit);
    const again = (): void => void (plugin = undefined);
    plugin.catch(() => importing.then(again, again));
    return plugin;
  };
}
