import { opendir, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";

import { isLlmError, LlmError } from "@enginehouse/llm-core";

import { formatOf } from "../extract/sniff.ts";
import { isLocked } from "../store/held.ts";
import { createGlobs, globFault } from "./glob.ts";
import type { FolderOptions, FolderResult, Submitted, SubmitOptions } from "./ingest.ts";
import type { Content } from "./spool.ts";

const NEVER = new Set(["node_modules", "__pycache__"]);

/**
 * Every readable file under a folder. Links are not followed and hidden files are left out.
 * What cannot be read is told, and keeps nothing else from being taken.
 */
export async function addFolder(
  folder: string,
  { collectionId, include, exclude, signal }: FolderOptions,
  ingest: {
    readonly submit: (content: Content, options: SubmitOptions) => Promise<Submitted>;
    readonly maxBytes: number;
  },
): Promise<FolderResult> {
  const included = include === undefined ? undefined : readGlobs(include);
  const excluded = readGlobs(exclude ?? []);
  const root = await realFolder(folder);
  const submitted: (Submitted & { readonly path: string })[] = [];
  const skipped: { readonly path: string; readonly reason: string }[] = [];
  for await (const { path, unread } of files(root, "")) {
    // A long list of which nothing is wanted must not hold up what else the service does.
    await setImmediate();
    signal?.throwIfAborted();
    if (excluded(path)) continue;
    if (unread !== undefined) {
      skipped.push({ path, reason: unread });
      continue;
    }
    if (!(included?.(path) ?? formatOf(path) !== undefined)) continue;
    const file = join(root, path);
    const size = await sizeOf(file);
    if (typeof size === "string") skipped.push({ path, reason: size });
    else if (size === 0) skipped.push({ path, reason: "it is empty" });
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

/** Case tells no names apart on the disks of these systems. */
const IGNORES_CASE = process.platform === "win32" || process.platform === "darwin";

function readGlobs(patterns: readonly string[]) {
  const fault = globFault(patterns);
  if (fault !== undefined) throw new LlmError("invalid-request", fault, { status: 400 });
  return createGlobs(patterns, IGNORES_CASE);
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

/** The size of a file, or why there is none. */
async function sizeOf(file: string): Promise<number | string> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    return whyUnread("file", error);
  }
}

interface Entry {
  readonly name: string;
  readonly isFile: boolean;
  readonly isFolder: boolean;
}

/** The files below, and each folder that could not be read. */
async function* files(
  root: string,
  inside: string,
): AsyncGenerator<{ readonly path: string; readonly unread?: string }> {
  const entries: Entry[] = [];
  try {
    for await (const entry of await opendir(join(root, inside))) {
      entries.push({ name: entry.name, isFile: entry.isFile(), isFolder: entry.isDirectory() });
    }
  } catch (error) {
    const unread = whyUnread("folder", error);
    if (inside === "") throw unreadable(root, unread, error);
    yield { path: inside, unread };
    return;
  }
  for (const { name, isFile, isFolder } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (name.startsWith(".") || NEVER.has(name)) continue;
    const path = inside === "" ? name : `${inside}/${name}`;
    if (isFile) yield { path };
    else if (isFolder) yield* files(root, path);
  }
}

function unreadable(folder: string, why: string, cause: unknown): LlmError {
  return new LlmError("invalid-request", `"${folder}" was not added: ${why}`, {
    status: 403,
    hint: "Check that the folder is there and may be read by the account of this service.",
    cause,
  });
}

function whyUnread(what: "file" | "folder", error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  if (code === "EACCES" || code === "EPERM") return `there is no right to read the ${what}`;
  if (code === "ENOENT" || code === "ENOTDIR") return `the ${what} is not there any more`;
  return `the ${what} cannot be read${code === "" ? "" : ` (${code})`}`;
}
