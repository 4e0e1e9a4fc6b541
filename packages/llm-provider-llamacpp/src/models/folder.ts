import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";

import { LlmError } from "@enginehouse/llm-core";

import { readPartName } from "./model-file.ts";

export const MAX_DEPTH = 6;
const MAX_FILES = 5_000;

/** GGUF files below a folder, relative to it, with slashes; of a split model its first part. A folder that is not there is empty, one that cannot be read is `forbidden`. */
export async function scanModels(folder: string, signal?: AbortSignal): Promise<readonly string[]> {
  const found: string[] = [];
  const seenParts = new Set<string>();
  const visit = async (relative: string, depth: number): Promise<void> => {
    signal?.throwIfAborted();
    const handle = await opendir(join(folder, relative)).catch((error: unknown) => {
      if (depth === 0) assertMissing(error, folder);
      return undefined;
    });
    if (handle === undefined) return;
    for await (const entry of handle) {
      if (found.length >= MAX_FILES) return;
      if (entry.name.startsWith(".")) continue;
      const path = relative === "" ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) {
        if (depth < MAX_DEPTH) await visit(path, depth + 1);
        continue;
      }
      if (!/\.gguf$/i.test(entry.name)) continue;
      // A link to a file that is kept elsewhere is a model too; a link to a folder could lead in a circle.
      if (
        entry.isSymbolicLink() &&
        (await stat(join(folder, path)).catch(() => undefined))?.isFile() !== true
      )
        continue;
      if (!entry.isSymbolicLink() && !entry.isFile()) continue;
      const part = readPartName(entry.name);
      if (part === undefined) found.push(path);
      else {
        // Listed once and under its first part, even where that one is missing: then its problem says so.
        const first = path.slice(0, path.length - entry.name.length) + firstPart(part);
        if (!seenParts.has(first)) found.push(first);
        seenParts.add(first);
      }
    }
  };
  await visit("", 0);
  return found.toSorted((a, b) => a.localeCompare(b, "en"));
}

function assertMissing(cause: unknown, folder: string): void {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOENT") return;
  throw new LlmError("forbidden", `the models folder ${folder} cannot be read (${String(code)})`, {
    cause,
    hint: "Set modelsDir to a folder that you may read.",
  });
}

/** The id of a file: its path without the ending, and without the numbers of its parts. */
export function idOfFile(path: string): string {
  const slash = path.lastIndexOf("/") + 1;
  const part = readPartName(path.slice(slash));
  return part === undefined ? path.replace(/\.gguf$/i, "") : path.slice(0, slash) + part.stem;
}

function firstPart({ stem, count }: { readonly stem: string; readonly count: number }): string {
  return `${stem}-00001-of-${String(count).padStart(5, "0")}.gguf`;
}
