import { pathToFileURL } from "node:url";

import type { Diagnostic, PluginCandidate } from "../manifest.ts";
import type { Application } from "./application.ts";
import { findInside } from "./inside.ts";
import type { ManifestReader } from "./manifest-schema.ts";
import { isRecord } from "./package-json.ts";
import type { Finding, InstalledPackage } from "./package.ts";

/** A candidate, and where its code is. */
export interface InstalledPlugin extends PluginCandidate {
  /** Path of its entry. */
  readonly entry: string;
  /** What imports its entry by name, unless its package does not export it. */
  readonly specifier: string | undefined;
}

/** The plugin that a package says it is. A host of contract N accepts N and N-1. */
export async function readPlugin(
  found: InstalledPackage,
  reader: ManifestReader,
  { application, contract }: { readonly application: Application; readonly contract: number },
): Promise<Finding> {
  const { name, version, folder, content } = found;
  const declared = isRecord(content["llmProvider"]) ? content["llmProvider"] : {};
  const from = `${name}@${version}`;
  const id = typeof declared["id"] === "string" ? declared["id"] : undefined;
  const refused = (refusal: Pick<Diagnostic, "code" | "message" | "hint">): Finding => ({
    diagnostic: { packageName: name, packageVersion: version, id, status: "refused", ...refusal },
  });
  const invalid = (faults: readonly string[]): Finding =>
    refused({
      code: "plugin-invalid",
      message: `the package.json of ${from} is at fault: ${faults.join("; ")}`,
      hint: `install another version, \`${application.addCommand} ${name}@latest\`, or report it to its author`,
    });

  // Before the rest is read: the manifest of another contract may have another form.
  const speaks = declared["contract"];
  if (typeof speaks === "number" && isOtherContract(speaks, contract)) {
    const newest = speaks > contract ? "@enginehouse/llm-core" : name;
    return refused({
      code: "plugin-incompatible",
      message: `${from} speaks contract ${speaks}, this host speaks ${contract}`,
      hint: `run \`${application.addCommand} ${newest}@latest\`, or install a version of ${name} made for contract ${contract}`,
    });
  }
  const reading = reader.provider(content["llmProvider"]);
  if ("faults" in reading) return invalid(reading.faults);
  const { manifest, unknown } = reading;
  const entry = await findInside(folder, manifest.entry);
  if ("fault" in entry) return invalid([`llmProvider.entry: ${entry.fault}`]);
  if (entry.folder) return invalid([`llmProvider.entry: "${manifest.entry}" is a folder`]);

  const url = pathToFileURL(entry.path).href;
  const unknownHere = unknown.length === 0 ? "" : `; this host does not know its ${unknown.join(", ")}`;
  const message = `${from} gives provider "${manifest.id}" (${manifest.operations.join(", ")})${unknownHere}`;
  return {
    diagnostic: { packageName: name, packageVersion: version, id, status: "used", message },
    plugin: {
      packageName: name,
      packageVersion: version,
      manifest,
      entry: entry.path,
      specifier: specifierOf(name, content["exports"], manifest.entry),
      load: () => import(/* @vite-ignore */ url) as Promise<unknown>,
    },
  };
}

function isOtherContract(speaks: number, contract: number): boolean {
  return Number.isInteger(speaks) && speaks > 0 && (speaks > contract || speaks < contract - 1);
}

/** What a bundler resolves to `entry`, as far as the package's `exports` tell without patterns. */
function specifierOf(name: string, exported: unknown, entry: string): string | undefined {
  const target = `./${entry.replace(/^(?:\.\/)+/, "")}`;
  if (exported === undefined) return name + target.slice(1);
  const paths = isRecord(exported) && Object.keys(exported).some((key) => key.startsWith("."));
  for (const [key, value] of paths ? Object.entries(exported) : [[".", exported] as const]) {
    if (!key.includes("*") && importTarget(value) === target) return name + key.slice(1);
  }
  return undefined;
}

const CONDITIONS = ["import", "node", "default", "module", "module-sync"];

function importTarget(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const condition = Object.keys(value).find((key) => CONDITIONS.includes(key));
  return condition === undefined ? undefined : importTarget(value[condition]);
}
