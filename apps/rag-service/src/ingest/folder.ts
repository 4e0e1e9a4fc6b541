import { opendir, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";

import { isLlmError, LlmError } from "@enginehouse/llm-core";

import { formatOf } from "../extract/sniff.ts";
import { isLocked } from "../store/held.ts";
import { createGlobs } from "./glob.ts";
import type { FolderOptions, FolderResult, Submitted, SubmitOptions } from "./ingest.ts";
import type { Content } from "./spool.ts";

const NEVER = new Set(["node_modules", "__pycache__"]);

/** Every readable file under a folder. Links are not followed and hidden files are left out. */
export async function addFolder(
  folder: string,
  { collectionId, include, exclude, signal }: FolderOptions,
  ingest: {
    readonly submit: (content: Content, options: SubmitOptions) => Promise<Submitted>;
    readonly maxBytes: number;
  },
): Promise<FolderResult> {
  const included = include === undefined ? undefined : createGlobs(include);
  const excluded = createGlobs(exclude ?? []);
  const root = await realFolder(folder);
  const submitted: (Submitted & { readonly path: string })[] = [];
  const skipped: { readonly path: string; readonly reason: string }[] = [];
  for await (const path of files(root, "")) {
    // A long list of which nothing is wanted must not hold up what else the service does.
    await setImmediate();
    signal?.throwIfAborted();
    if (excluded(path) || !(included?.(path) ?? formatOf(path) !== undefined)) continue;
    const file = join(root, path);
    const { size } = await stat(file);
    if (size === 0) skipped.push({ path, reason: "it is empty" });
    else if (size > ingest.maxBytes)
      skipped.push({ path, reason: `it is larger than ${Math.round(ingest.maxBytes / 1_000_000)} MB` });
    else {
      try {
        const externalId = `${root}#${path}`;
        submitted.push({
          path,
          ...(await ingest.submit({ path: file }, { name: path, collectionId, externalId, signal })),
        });
      } catch (error) {
        if (
          !isLlmError(error) ||
          error.code === "aborted" ||
          error.code === "disk-full" ||
          isLocked(error) ||
          error.status === 404
        )
          throw error;
        skipped.push({ path, reason: error.message });
      }
    }
  }
  return { submitted, skipped };
}

async function realFolder(folder: string): Promise<string> {
  try {
    const root = await realpath(resolve(folder));
    if ((await stat(root)).isDirectory()) return root;
  } catch (error) {
    throw new LlmError("invalid-request", `there is no folder "${folder}"`, {
      status: 404,
      hint: "Give the path of a folder on this machine.",
      cause: error,
    });
  }
  throw new LlmError("invalid-request", `"${folder}" is a file, not a folder`, {
    status: 400,
    hint: "Give the path of a folder, or upload the file.",
  });
}

async function* files(root: string, inside: string): AsyncGenerator<string> {
  const entries: { readonly name: string; readonly isFile: boolean; readonly isFolder: boolean }[] = [];
  for await (const entry of await opendir(join(root, inside))) {
    entries.push({ name: entry.name, isFile: entry.isFile(), isFolder: entry.isDirectory() });
  }
  for (const { name, isFile, isFolder } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (name.startsWith(".") || NEVER.has(name)) continue;
    const path = inside === "" ? name : `${inside}/${name}`;
    if (isFile) yield path;
    else if (isFolder) yield* files(root, path);
  }
}
