import { join } from "node:path";

import { type CallOptions, LlmError, type PullProgress } from "@enginehouse/llm-core";
import { createHttpTransport, createSharedWork } from "@enginehouse/llm-wire";

import { downloadFile } from "./download.ts";
import { readGguf } from "./gguf.ts";
import { type RemoteFile, resolveHubFiles } from "./hub.ts";
import { lockFile } from "./lock-file.ts";
import { partNames, readModelFile, readPartName } from "./model-file.ts";
import { ownTarget, type PullReference, readReference, targetPath } from "./reference.ts";
import { createWeb, type WebOptions } from "./web.ts";

export interface PullerOptions extends WebOptions {
  readonly modelsDir: string;
  /** The id that a file of the folder is listed under. */
  readonly idOf: (target: string) => string;
}

export interface Puller {
  pull(reference: string, options: CallOptions): AsyncGenerator<PullProgress, void, undefined>;
  isPulling(target: string): boolean;
  close(): Promise<void>;
}

/** How often progress is told, beside every change of status: a reader that shows it needs no more. */
const EVERY_MS = 50;

export function createPuller(options: PullerOptions): Puller {
  const work = createSharedWork<PullProgress>();
  const writing = new Set<string>();

  function pull(text: string, { signal }: CallOptions): AsyncGenerator<PullProgress, void, undefined> {
    return work.follow(
      text,
      async (ended, report) => {
        const web = createWeb(createHttpTransport(), options);
        try {
          const reference = readReference(text);
          report({ status: "resolving" });
          const installed = await findInstalled(reference);
          if (installed !== undefined) return report(done(installed));
          const files =
            reference.kind === "hub"
              ? await resolveHubFiles(reference, web, options.hubUrl, ended)
              : urlFiles(reference);
          await fetchAll(files);
          report(done(files[0]?.target ?? text, totalOf(files)));
        } finally {
          web.close();
        }

        async function fetchAll(files: readonly RemoteFile[]): Promise<void> {
          const unlock = await lockFile(join(options.modelsDir, `${files[0]?.target ?? text}.part.lock`));
          for (const { target } of files) writing.add(target);
          try {
            const total = totalOf(files);
            const progress = createProgress(total, report);
            let before = 0;
            for (const file of files) {
              const path = join(options.modelsDir, file.target);
              if (files.length > 1 && (await isWhole(path, file))) {
                before += file.sizeBytes ?? 0;
                continue;
              }
              const base = before;
              await downloadFile(file, path, {
                web,
                signal: ended,
                report({ status, receivedBytes, totalBytes }) {
                  before = base + receivedBytes;
                  const last = file === files.at(-1);
                  progress(
                    last ? status : "downloading",
                    before,
                    total ?? (files.length === 1 ? totalBytes : undefined),
                  );
                },
              });
            }
          } finally {
            for (const { target } of files) writing.delete(target);
            await unlock();
          }
        }
      },
      signal,
    );
  }

  /** Nothing is asked of the network for a file that is there and whole. */
  async function findInstalled(reference: PullReference): Promise<string | undefined> {
    const target = ownTarget(reference);
    if (target === undefined) return undefined;
    const model = await readModelFile(join(options.modelsDir, target)).catch(() => undefined);
    return model === undefined ? undefined : target;
  }

  function done(target: string, totalBytes?: number): PullProgress {
    return {
      status: "done",
      fraction: 1,
      receivedBytes: totalBytes,
      totalBytes,
      model: options.idOf(target),
    };
  }

  return {
    pull,
    isPulling: (target) => writing.has(target),
    close: () => work.close(),
  };
}

/** A fraction that never falls, even where a server makes us begin anew; 1 only with `done`. */
function createProgress(total: number | undefined, report: (progress: PullProgress) => void) {
  let highest = 0;
  let told = 0;
  let lastStatus = "";
  return (status: "downloading" | "verifying", receivedBytes: number, known: number | undefined): void => {
    const totalBytes = total ?? known;
    if (totalBytes !== undefined && totalBytes > 0)
      highest = Math.max(highest, Math.min(receivedBytes / totalBytes, 0.999));
    const now = performance.now();
    if (status === lastStatus && now - told < EVERY_MS) return;
    told = now;
    lastStatus = status;
    report({ status, receivedBytes, totalBytes, fraction: totalBytes === undefined ? undefined : highest });
  };
}

/** All parts of a split file, where the address names the first. */
function urlFiles(reference: Extract<PullReference, { kind: "url" }>): readonly RemoteFile[] {
  const name = reference.url.pathname.slice(reference.url.pathname.lastIndexOf("/") + 1);
  const part = readPartName(decodeURIComponent(name));
  if (part !== undefined && part.index !== 1) {
    throw new LlmError("invalid-request", `this is part ${part.index} of ${part.count}`, {
      hint: "Give the address of the first part; the others are fetched with it.",
    });
  }
  return partNames(decodeURIComponent(name)).map((one) => {
    const url = new URL(reference.url);
    url.pathname = url.pathname.slice(0, url.pathname.lastIndexOf("/") + 1) + encodeURIComponent(one);
    return { url, target: targetPath({ kind: "url", url }, ""), sizeBytes: undefined, sha256: undefined };
  });
}

function totalOf(files: readonly RemoteFile[]): number | undefined {
  let total = 0;
  for (const { sizeBytes } of files) {
    if (sizeBytes === undefined) return undefined;
    total += sizeBytes;
  }
  return total;
}

/** A part of a split model that an earlier pull has finished. */
async function isWhole(path: string, { sizeBytes }: RemoteFile): Promise<boolean> {
  const header = await readGguf(path).catch(() => undefined);
  if (header === undefined || header.fileBytes < header.expectedBytes) return false;
  return sizeBytes === undefined || sizeBytes === header.fileBytes;
}
