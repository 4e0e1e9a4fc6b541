import { realpath, rm, stat } from "node:fs/promises";
import { join, sep } from "node:path";

import { LlmError } from "@enginehouse/llm-core";

import { partNames } from "./model-file.ts";

/** Removes all parts of a model of the folder and says how many bytes that freed. Of a link only the link goes. */
export async function removeModelFiles(modelsDir: string, file: string, provider: string): Promise<number> {
  const slash = file.lastIndexOf("/") + 1;
  const [root, folder] = await Promise.all([
    realpath(modelsDir),
    realpath(join(modelsDir, file.slice(0, slash))),
  ]);
  if (folder !== root && !folder.startsWith(root + sep)) {
    throw new LlmError("forbidden", `${folder} lies outside the models folder`, { provider });
  }
  let freed = 0;
  for (const part of partNames(file.slice(slash))) {
    const path = join(folder, part);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) continue;
    await rm(path);
    freed += found.size;
  }
  return freed;
}
