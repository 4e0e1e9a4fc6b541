import type { ModelFile } from "../manifest.ts";
import type { Application } from "./application.ts";
import { findInside } from "./inside.ts";
import type { ManifestReader } from "./manifest-schema.ts";
import type { Finding, InstalledPackage } from "./package.ts";

/** The models that a package carries, and a line about the entries at fault: they do not spoil the others. */
export async function readModels(
  found: InstalledPackage,
  reader: ManifestReader,
  { addCommand }: Application,
): Promise<readonly Finding[]> {
  const { name, version } = found;
  const from = `${name}@${version}`;
  const known = { packageName: name, packageVersion: version };
  const { models, faults, unknown } = await readEntries(found, reader);
  const findings: Finding[] = [];
  if (models.length > 0) {
    const ids = models.map(({ id, format }) => `${id} (${format})`).join(", ");
    const more = unknown.length === 0 ? "" : `; this host does not know ${unknown.join(", ")}`;
    const message = `${from} gives models: ${ids}${more}`;
    findings.push({ models, diagnostic: { ...known, status: "used", message } });
  }
  if (faults.length > 0) {
    const message = `the package.json of ${from} is at fault: ${faults.join("; ")}`;
    const hint = `install it anew, \`${addCommand} ${name}\`, or report it to its author`;
    findings.push({ diagnostic: { ...known, status: "refused", code: "plugin-invalid", message, hint } });
  }
  return findings;
}

interface Entries {
  readonly models: readonly ModelFile[];
  /** What is wrong with the others, each with its path. */
  readonly faults: readonly string[];
  readonly unknown: readonly string[];
}

async function readEntries(found: InstalledPackage, reader: ManifestReader): Promise<Entries> {
  const listed = found.content["llmModels"];
  if (!Array.isArray(listed) || listed.length === 0)
    return { models: [], faults: ["llmModels: a list was expected"], unknown: [] };
  const models: ModelFile[] = [];
  const faults: string[] = [];
  const unknown: string[] = [];
  for (const [index, value] of listed.entries()) {
    const place = `llmModels.${index}`;
    const reading = reader.model(value, place);
    if ("faults" in reading) {
      faults.push(...reading.faults);
      continue;
    }
    const { model } = reading;
    unknown.push(...reading.unknown);
    const file = await findInside(found.folder, model.path);
    if ("fault" in file) {
      faults.push(`${place}.path: ${file.fault}`);
    } else if (file.folder && model.format !== "onnx") {
      faults.push(`${place}.path: "${model.path}" is a folder`);
    } else if (!file.folder && file.bytes !== model.bytes) {
      // Most often the pointer that Git LFS leaves in the place of a large file.
      faults.push(
        `${place}.bytes: "${model.path}" has ${file.bytes} bytes, not ${model.bytes}; it is not whole`,
      );
    } else {
      models.push({ ...model, path: file.path, packageName: found.name });
    }
  }
  return { models, faults, unknown };
}
