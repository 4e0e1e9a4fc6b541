import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { readSubjectPackage } from "../run/manifest.ts";
import type { Subject } from "../subject.ts";

/** What to tell where the package's entry was built before its sources were last changed. */
export function staleBuild(subject: Pick<Subject, "package">): string | undefined {
  const { folder, manifest } = readSubjectPackage(subject);
  const built = changedAt(new URL(manifest.entry, folder));
  const sources = new URL("src/", folder);
  const newer = namesIn(sources).find(
    (name) => (changedAt(new URL(name, sources)) ?? 0) > (built ?? Infinity),
  );
  if (newer === undefined) return undefined;
  return `${manifest.entry} was built before src/${newer} changed: build first, for the checks of the package and of its processes judge what is built`;
}

function namesIn(folder: URL): readonly string[] {
  try {
    return readdirSync(fileURLToPath(folder), { recursive: true }) as string[];
  } catch {
    return []; // A package without sources: only what is built can be judged.
  }
}

/** In milliseconds; folders and what is not there have no time. */
function changedAt(file: URL): number | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.isFile() === true ? found.mtimeMs : undefined;
}
