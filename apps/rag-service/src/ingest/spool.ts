import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { LlmError, toLlmError } from "@enginehouse/llm-core";

import { SNIFFED } from "../extract/sniff.ts";

export type Content = Uint8Array | AsyncIterable<Uint8Array> | { readonly path: string };

/** Files that wait to be read. They are named by their job, never by what a client calls them. */
export interface Spool {
  /** When this resolves, the file is on disk and survives a crash. `head` is its beginning, as much as tells its kind. */
  write(
    jobId: string,
    content: Content,
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly sha256: string; readonly bytes: number; readonly head: Uint8Array }>;
  path(jobId: string): string;
  has(jobId: string): Promise<boolean>;
  remove(jobId: string): Promise<void>;
  /** Removes what no job needs: uploads that a crash cut off. */
  keepOnly(jobIds: ReadonlySet<string>): Promise<void>;
}

export function createSpool(folder: string, maxBytes: number): Spool {
  const path = (jobId: string) => join(folder, jobId);

  async function write(jobId: string, content: Content, name: string, signal: AbortSignal | undefined) {
    await mkdir(folder, { recursive: true });
    const temporary = `${path(jobId)}.part`;
    const hash = createHash("sha256");
    let bytes = 0;
    const head: Uint8Array[] = [];
    const file = await open(temporary, "wx");
    try {
      for await (const piece of pieces(content)) {
        signal?.throwIfAborted();
        if (bytes < SNIFFED) head.push(new Uint8Array(piece.subarray(0, SNIFFED - bytes)));
        bytes += piece.byteLength;
        if (bytes > maxBytes) throw tooLarge(name, maxBytes);
        hash.update(piece);
        await file.writeFile(piece);
      }
      signal?.throwIfAborted();
      if (bytes === 0) throw empty(name);
      await file.sync();
      await file.close();
      await rename(temporary, path(jobId));
      await syncFolder(folder);
    } catch (error) {
      await file.close().catch(() => undefined);
      await rm(temporary, { force: true });
      throw refused(error, name, signal);
    }
    return { sha256: hash.digest("hex"), bytes, head: Buffer.concat(head) };
  }

  return {
    write,
    path,
    has: (jobId) =>
      access(path(jobId)).then(
        () => true,
        () => false,
      ),
    remove: (jobId) => rm(path(jobId), { force: true }),
    async keepOnly(jobIds) {
      const names = await readdir(folder).catch(() => []);
      for (const name of names) if (!jobIds.has(name)) await rm(join(folder, name), { force: true });
    },
  };
}

function pieces(content: Content): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if (content instanceof Uint8Array) return [content];
  if ("path" in content) return createReadStream(content.path);
  return content;
}

/** A new name is only durable when its folder is written, too. Windows knows no such call. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function refused(error: unknown, name: string, signal: AbortSignal | undefined): Error {
  if (signal?.aborted === true)
    return new LlmError("aborted", `adding "${name}" was cancelled`, { cause: error });
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  if (code === "ENOSPC") {
    return new LlmError("disk-full", `there is no room for "${name}" on the disk of the data folder`, {
      hint: "Free some space, then add it again.",
      cause: error,
    });
  }
  if (code === "ENOENT" || code === "EACCES" || code === "EPERM" || code === "EISDIR") {
    return new LlmError("invalid-request", `"${name}" cannot be read`, {
      hint: "Check that the file is there and may be read.",
      cause: error,
    });
  }
  return toLlmError(error, "provider-internal", { operation: "ingest" });
}

function empty(name: string): LlmError {
  return new LlmError("invalid-request", `"${name}" is empty`, {
    status: 422,
    hint: "Check that the file was saved and copied completely, then add it again.",
    figures: { bytes: 0 },
  });
}

function tooLarge(name: string, maxBytes: number): LlmError {
  const limit = Math.round(maxBytes / 1_000_000);
  return new LlmError("input-too-long", `"${name}" is larger than the limit of ${limit} MB`, {
    status: 413,
    hint: "Split it into smaller files, or raise the limit in the settings.",
    figures: { limitBytes: maxBytes },
  });
}
