import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import { LlmError } from "@enginehouse/llm-core";

import { diskFault } from "./disk-fault.ts";
import { readGguf } from "./gguf.ts";
import type { RemoteFile } from "./hub.ts";
import { continues, type KnownPart, type PartNote, readExtent, readNote, resumable, sumOf } from "./part.ts";
import type { Web, WebReply } from "./web.ts";

export interface DownloadProgress {
  readonly status: "downloading" | "verifying";
  readonly receivedBytes: number;
  readonly totalBytes: number | undefined;
}

/**
 * Fetches one file to `path`. It grows as `path.part` and takes its name when it is whole and proved to be a GGUF file
 * with the right sum. Cancelled or broken off, the part stays, and the next call asks for the rest only.
 */
export async function downloadFile(
  remote: RemoteFile,
  path: string,
  { web, signal, report }: { readonly web: Web; readonly signal: AbortSignal; readonly report: Report },
): Promise<void> {
  const part = `${path}.part`;
  const notePath = `${path}.part.json`;
  let spoiled = false;
  /** The part cannot become the file, so it goes. */
  const spoil: Spoil = (message) => {
    spoiled = true;
    return new LlmError("invalid-response", message, {
      hint: "Pull again, or fetch it from another source.",
    });
  };
  try {
    await mkdir(dirname(path), { recursive: true });
    let known = await resumable(remote, part, notePath);
    if (known.bytes > 0 && known.bytes === remote.sizeBytes)
      report({ status: "downloading", receivedBytes: known.bytes, totalBytes: known.bytes });
    else {
      let reply = await request(remote, known, web, signal);
      if (known.bytes > 0 && !continues(reply, known.bytes)) {
        // The part is longer than the file is now, or the server cannot go on rightly: from the start, once.
        await reply.cancel();
        known = { bytes: 0, etag: undefined };
        reply = await request(remote, known, web, signal);
      }
      await receive(remote, reply, { part, notePath, report, spoil });
    }
    signal.throwIfAborted();
    await verify(remote, part, { signal, report, spoil });
    await rename(part, path);
    await rm(notePath, { force: true });
  } catch (error) {
    if (signal.aborted) throw new LlmError("aborted", "the pull was cancelled", { cause: error });
    if (spoiled) await Promise.all([part, notePath].map((one) => rm(one, { force: true })));
    throw diskFault(error, path);
  }
}

function request(
  remote: RemoteFile,
  { bytes, etag }: KnownPart,
  web: Web,
  signal: AbortSignal,
): Promise<WebReply> {
  const range =
    bytes === 0 ? {} : { range: `bytes=${bytes}-`, ...(etag === undefined ? {} : { "if-range": etag }) };
  return web.get(remote.url, { signal, headers: range, accept: bytes === 0 ? [] : [416] });
}

type Spoil = (message: string) => LlmError;
type Report = (progress: DownloadProgress) => void;

async function receive(
  remote: RemoteFile,
  reply: WebReply,
  {
    part,
    notePath,
    report,
    spoil,
  }: { readonly part: string; readonly notePath: string; readonly report: Report; readonly spoil: Spoil },
): Promise<void> {
  let file: FileHandle | undefined;
  try {
    const { start, total } = readExtent(reply);
    if (remote.sizeBytes !== undefined && total !== undefined && total !== remote.sizeBytes) {
      throw spoil(`${remote.url.pathname} has ${total} bytes, not the ${remote.sizeBytes} announced`);
    }
    const totalBytes = total ?? remote.sizeBytes;
    if (totalBytes !== undefined) await assertRoom(dirname(part), totalBytes - start);
    const etag = reply.headers.get("etag") ?? undefined;
    // A weak tag promises likeness, not the same bytes.
    const note: PartNote = {
      url: remote.url.href,
      etag: etag?.startsWith("W/") === true ? undefined : etag,
      sha256: remote.sha256 ?? sumOf(reply),
    };
    await writeFile(notePath, JSON.stringify(note));
    file = await open(part, start === 0 ? "w" : "r+");
    let received = start;
    let head = Buffer.alloc(0);
    report({ status: "downloading", receivedBytes: received, totalBytes });
    for await (const chunk of reply.read()) {
      if (received < 4) {
        head = Buffer.concat([head, chunk.subarray(0, 4)]).subarray(0, 4);
        if (!"GGUF".startsWith(head.toString("latin1"))) {
          throw spoil(
            `${remote.url.origin}${remote.url.pathname} is no GGUF file but ${reply.headers.get("content-type") ?? "something else"}`,
          );
        }
      }
      await writeAll(file, chunk, received);
      received += chunk.length;
      if (totalBytes !== undefined && received > totalBytes) {
        throw spoil(`${remote.url.pathname} goes on beyond its ${totalBytes} bytes`);
      }
      report({ status: "downloading", receivedBytes: received, totalBytes });
    }
    if (totalBytes !== undefined && received < totalBytes) {
      throw new LlmError(
        "stream-interrupted",
        `${remote.url.origin} ended after ${received} of ${totalBytes} bytes`,
        { hint: "Pull again: it goes on where it stopped." },
      );
    }
    await file.sync();
  } finally {
    await file?.close();
    await reply.cancel();
  }
}

async function verify(
  remote: RemoteFile,
  part: string,
  { signal, report, spoil }: { readonly signal: AbortSignal; readonly report: Report; readonly spoil: Spoil },
): Promise<void> {
  const { size } = await stat(part);
  report({ status: "verifying", receivedBytes: size, totalBytes: size });
  const note = await readNote(`${part}.json`);
  const expected = remote.sha256 ?? note?.sha256;
  if (expected !== undefined) {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(part, { signal, highWaterMark: 1_048_576 }))
      hash.update(chunk as Buffer);
    const actual = hash.digest("hex");
    if (actual !== expected)
      throw spoil(`what arrived from ${remote.url.origin} has the sum ${actual}, not ${expected}`);
  }
  const header = await readGguf(part).catch((error: unknown) => {
    throw spoil(error instanceof Error ? error.message : String(error));
  });
  if (header.fileBytes < header.expectedBytes) {
    throw spoil(
      `${remote.url.pathname} is truncated at its source: ${header.fileBytes} of ${header.expectedBytes} bytes`,
    );
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

async function assertRoom(folder: string, needed: number): Promise<void> {
  const disk = await statfs(folder).catch(() => undefined);
  if (disk === undefined || disk.bavail * disk.bsize >= needed) return;
  const free = disk.bavail * disk.bsize;
  throw new LlmError("disk-full", `the download needs ${needed} bytes more and ${folder} has ${free} free`, {
    figures: { needed, free },
    hint: "Free some space, or set modelsDir to another disk; what has arrived is kept.",
  });
}
