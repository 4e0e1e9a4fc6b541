import { dirname } from "node:path";

import type { Diagnostic, Discovery } from "../manifest.ts";
import { CONTRACT_VERSION } from "../provider.ts";
import { type Application, type Dependency, findApplication } from "./application.ts";
import { refuseDuplicates } from "./duplicates.ts";
import { createFilter, type Filter } from "./filter.ts";
import { isPackageName, locatePackage } from "./locate.ts";
import { createManifestReader, type ManifestReader } from "./manifest-schema.ts";
import { readModels } from "./models.ts";
import type { Finding, InstalledPackage } from "./package.ts";
import { type InstalledPlugin, readPlugin } from "./plugin.ts";

export interface DiscoverOptions {
  /** A file or folder of the application, such as `import.meta.url`. Default: the working directory. */
  readonly from?: string | URL | undefined;
  /** Names of packages or ids of providers: no others are used. Default: all. */
  readonly allow?: readonly string[] | undefined;
  /** Names of packages or ids of providers that are not used, whatever `allow` says. */
  readonly deny?: readonly string[] | undefined;
}

export interface InstalledDiscovery extends Discovery {
  readonly plugins: readonly InstalledPlugin[];
}

/**
 * The provider plugins and model packages among the direct dependencies of the application, by what their
 * package.json says: none of their code runs before a candidate's `load` is called. Nothing transitive is found, no
 * folder is searched and no name counts. A bad package is a diagnostic and spoils no other.
 */
export async function discover({ from, allow, deny }: DiscoverOptions = {}): Promise<InstalledDiscovery> {
  const application = await findApplication(from);
  const filter = createFilter(allow, deny);
  let making: Promise<ManifestReader> | undefined;
  const reader = (): Promise<ManifestReader> => (making ??= createManifestReader());
  const findings = await Promise.all(
    application.dependencies.map((one) => inspect(one, { application, filter, reader })),
  );
  const distinct = refuseDuplicates(findings.flat(), application);
  return {
    plugins: distinct.flatMap(({ plugin }) => plugin ?? []),
    models: distinct.flatMap(({ models }) => models ?? []),
    diagnostics: [...distinct.map(({ diagnostic }) => diagnostic), ...filter.unmatched()],
  };
}

interface Inspection {
  readonly application: Application;
  readonly filter: Filter;
  readonly reader: () => Promise<ManifestReader>;
}

async function inspect(dependency: Dependency, inspection: Inspection): Promise<readonly Finding[]> {
  const { application, filter, reader } = inspection;
  const found = await findPackage(dependency, inspection);
  if ("status" in found) return [{ diagnostic: found }];
  const { name, version, content } = found;
  const { llmProvider, llmModels } = content;
  const ignored = (message: string, id?: string): readonly Finding[] => {
    return [{ diagnostic: { packageName: name, packageVersion: version, id, status: "ignored", message } }];
  };
  if (llmProvider === undefined && llmModels === undefined) {
    return ignored(`${name} is no plugin: its package.json has neither llmProvider nor llmModels`);
  }
  const plugin =
    llmProvider === undefined
      ? undefined
      : await readPlugin(found, await reader(), { application, contract: CONTRACT_VERSION });
  const id = plugin?.diagnostic.id;
  if (filter.isDenied(id)) return ignored(`the application denies provider "${id}" of ${name}`, id);
  if (!filter.isAllowed(name, id))
    return ignored(`${name} is not among those that the application allows`, id);
  const models = llmModels === undefined ? [] : await readModels(found, await reader(), application);
  return plugin === undefined ? models : [plugin, ...models];
}

/** The dependency as it is installed, or why there is nothing to read. */
async function findPackage(
  { name, optional }: Dependency,
  { application, filter }: Inspection,
): Promise<InstalledPackage | Diagnostic> {
  const packageName = name;
  if (!isPackageName(name)) {
    const message = `"${name}" is among the dependencies and is no name of a package`;
    return { packageName, status: "refused", code: "plugin-invalid", message };
  }
  if (filter.isDenied(name))
    return { packageName, status: "ignored", message: `the application denies ${name}` };
  const file = await locatePackage(name, application.packageJson);
  if (file === undefined && optional) {
    return { packageName, status: "ignored", message: `${name} is an optional dependency and not installed` };
  }
  if (file === undefined) {
    const message = `${name} is a dependency and not installed`;
    const hint = `run \`${application.installCommand}\``;
    return { packageName, status: "failed", code: "plugin-load-failed", message, hint };
  }
  const { path, content, fault } = file;
  if (content === undefined) {
    const message = `the package.json of ${name} cannot be read: ${fault}`;
    const hint = `install ${name} anew: \`${application.addCommand} ${name}\``;
    return { packageName, status: "refused", code: "plugin-invalid", message, hint };
  }
  const version = typeof content["version"] === "string" ? content["version"] : "unversioned";
  return { name, version, folder: dirname(path), content };
}
