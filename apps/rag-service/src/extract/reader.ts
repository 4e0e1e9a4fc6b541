import { Worker } from "node:worker_threads";

import { LlmError } from "@enginehouse/llm-core";

import type { ChunkSettings } from "../chunk/chunk.ts";
import { refusal } from "./refusal.ts";
import type { ReadDocument, ReadReply, ReadRequest } from "./worker.ts";

export interface ReadOptions {
  readonly path: string;
  readonly name: string;
  readonly mediaType: string | undefined;
  readonly chunk: ChunkSettings;
  readonly signal: AbortSignal;
  readonly onProgress: (stage: "extracting" | "chunking", done: number, total: number | undefined) => void;
}

/** Reads documents in a thread with a limit on time and memory: a hostile file costs its own thread, nothing else. */
export interface Reader {
  /** Rejects with a refusal (`readRefusal`) when the file is at fault. One at a time. */
  read(options: ReadOptions): Promise<ReadDocument>;
  close(): Promise<void>;
}

export interface ReaderSettings {
  readonly timeoutMs: number;
  readonly memoryMb: number;
}

/** How often a working thread is asked how much memory it holds. */
const WATCH_MS = 100;
/** A thread that has had nothing to do for so long is ended. */
const IDLE_MS = 20_000;

export function createReader(settings: ReaderSettings): Reader {
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let next = 0;

  function start(): Worker {
    const here = import.meta.url;
    const body = new URL(here.endsWith(".ts") ? "./worker.ts" : "./extract-worker.js", here);
    const thread = new Worker(body, {
      name: "reader",
      resourceLimits: { maxOldGenerationSizeMb: settings.memoryMb },
      // What a parser writes is no message for anyone.
      stdout: true,
      stderr: true,
    });
    thread.stdout.resume();
    thread.stderr.resume();
    // Between two documents nobody else listens; the next one starts a new thread.
    thread.on("error", () => undefined);
    thread.on("exit", () => {
      if (worker === thread) worker = undefined;
    });
    return thread;
  }

  async function end(): Promise<void> {
    clearTimeout(idle);
    const ending = worker;
    worker = undefined;
    await ending?.terminate();
  }

  function read(options: ReadOptions): Promise<ReadDocument> {
    clearTimeout(idle);
    const thread = (worker ??= start());
    thread.ref();
    const id = next++;
    const { path, name, mediaType, chunk, signal, onProgress } = options;
    return new Promise<ReadDocument>((resolve, reject) => {
      const timer = setTimeout(() => fail(tooSlow(name, settings.timeoutMs)), settings.timeoutMs);
      // The limit of the thread itself knows only objects: what a parser unpacks lies outside of it.
      const watch = setInterval(() => {
        thread.getHeapStatistics().then(
          ({ external_memory: outside }) => {
            if (!settled && outside > settings.memoryMb * 1_000_000) fail(tooLarge(name, settings.memoryMb));
          },
          () => undefined,
        );
      }, WATCH_MS);
      let settled = false;
      const onAbort = () => fail(new LlmError("aborted", `reading "${name}" was cancelled`));
      signal.addEventListener("abort", onAbort, { once: true });
      thread.on("message", onMessage).on("error", onError).on("exit", onExit);
      if (signal.aborted) onAbort();
      else thread.postMessage({ id, path, name, mediaType, chunk } satisfies ReadRequest);

      function onMessage(reply: ReadReply): void {
        if (reply.id !== id) return;
        if ("stage" in reply) {
          onProgress(reply.stage, reply.done, reply.total);
          return;
        }
        settle();
        thread.unref();
        idle = setTimeout(() => void end(), IDLE_MS).unref();
        if ("document" in reply) resolve(reply.document);
        else reject(refusal(reply.error));
      }

      function onError(error: Error & { code?: string }): void {
        fail(
          error.code === "ERR_WORKER_OUT_OF_MEMORY"
            ? tooLarge(name, settings.memoryMb)
            : refusal(crashed(name, error.message)),
        );
      }

      function onExit(): void {
        fail(refusal(crashed(name, "its thread ended")));
      }

      function fail(error: Error): void {
        settle();
        if (worker === thread) worker = undefined;
        void thread.terminate();
        reject(error);
      }

      function settle(): void {
        settled = true;
        clearTimeout(timer);
        clearInterval(watch);
        signal.removeEventListener("abort", onAbort);
        thread.off("message", onMessage).off("error", onError).off("exit", onExit);
      }
    });
  }

  return { read, close: end };
}

const SMALLER = "Split the document into smaller files and add those.";

function tooSlow(name: string, timeoutMs: number): Error {
  return refusal({
    code: "timeout",
    reason: "parse-timeout",
    message: `reading "${name}" took longer than ${timeoutMs / 1000} seconds and was stopped`,
    hint: SMALLER,
    retryable: true,
  });
}

function tooLarge(name: string, memoryMb: number): Error {
  return refusal({
    code: "out-of-memory",
    reason: "parse-memory",
    message: `reading "${name}" needed more than ${memoryMb} MB of memory and was stopped`,
    hint: SMALLER,
    retryable: false,
  });
}

function crashed(name: string, detail: string) {
  return {
    code: "provider-internal",
    reason: "parse-crash",
    message: `reading "${name}" failed: ${detail}`,
    hint: "Try again; if it fails again, save the document anew with another program.",
    retryable: true,
  };
}
