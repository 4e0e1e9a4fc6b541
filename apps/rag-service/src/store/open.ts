import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";

import { LlmError, toLlmError } from "@enginehouse/llm-core";

import type { Fault } from "./fault.ts";
import type { DatabaseSettings, Operations } from "./operations.ts";
import type { Store } from "./store.ts";
import type { Call, Reply } from "./worker.ts";

export interface StoreOptions {
  /** The database file; its folder is made when it is not there. */
  readonly path: string;
  /** `scan` does without the sqlite-vec extension even where it is there. Default `auto`. */
  readonly vectorSearch?: "auto" | "scan" | undefined;
  /** How long a call waits for another program that holds the database. Default 10,000. */
  readonly busyTimeoutMs?: number | undefined;
}

/** Opens the database in two threads: one writes, the other searches meanwhile. */
export async function openStore(options: StoreOptions): Promise<Store> {
  await mkdir(dirname(options.path), { recursive: true }).catch((error: unknown) => {
    throw new LlmError("invalid-settings", `the data folder ${dirname(options.path)} cannot be made`, {
      hint: "Check that its parent may be written, or set ENGINEHOUSE_DATA_DIR to another folder.",
      cause: error,
    });
  });
  const { path, vectorSearch = "auto", busyTimeoutMs = 10_000 } = options;
  const settings: DatabaseSettings = { path, vectorSearch, busyTimeoutMs };
  const writer = await openThread(settings);
  const reader = await openThread(settings).catch(async (error: unknown) => {
    await writer.close();
    throw error;
  });
  const write = writer.operation;
  const read = reader.operation;

  return {
    status: read("status"),
    listCollections: read("listCollections"),
    getCollection: read("getCollection"),
    createCollection: write("createCollection"),
    renameCollection: write("renameCollection"),
    deleteCollection: write("deleteCollection"),
    listDocuments: read("listDocuments"),
    getDocument: read("getDocument"),
    findDocument: read("findDocument"),
    deleteDocuments: write("deleteDocuments"),
    readText: read("readText"),
    readPages: read("readPages"),
    listChunks: read("listChunks"),
    getChunk: read("getChunk"),
    listJobs: read("listJobs"),
    getJob: read("getJob"),
    searchCandidates: read("searchCandidates"),
    wordFrequencies: read("wordFrequencies"),
    listGenerations: read("listGenerations"),
    readSetting: read("readSetting"),
    writeSetting: write("writeSetting"),
    ingest: {
      submit: write("submit"),
      submitIndexing: write("submitIndexing"),
      getWork: write("getWork"),
      pending: write("pending"),
      progress: write("progress"),
      fail: write("fail"),
      cancel: write("cancel"),
      requeue: write("requeue"),
      complete: write("complete"),
      stage: write("stage"),
      staged: write("staged"),
      missingVectors: write("missingVectors"),
      countVectors: write("countVectors"),
      missingAnywhere: write("missingAnywhere"),
      splitWindow: write("splitWindow"),
      putVectors: write("putVectors"),
      commit: write("commit"),
      generation: write("generation"),
      activate: write("activate"),
    },
    async close() {
      await reader.close();
      await writer.close();
    },
  };
}

interface Thread {
  operation<Name extends keyof Operations>(
    name: Name,
  ): (...values: Parameters<Operations[Name]>) => Promise<ReturnType<Operations[Name]>>;
  close(): Promise<void>;
}

async function openThread(settings: DatabaseSettings): Promise<Thread> {
  // Beside this file in the source; one of the built files lies beside the other.
  const here = import.meta.url;
  const body = new URL(here.endsWith(".ts") ? "./worker.ts" : "./store-worker.js", here);
  const worker = new Worker(body, { workerData: settings, name: "store" });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  let next = 0;
  let closing: Promise<void> | undefined;
  let ended: LlmError | undefined;

  const opened = new Promise<unknown>((resolve, reject) => waiting.set(-1, { resolve, reject }));
  worker.on("message", ({ id, value, fault }: Reply) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (fault === undefined) call?.resolve(value);
    else call?.reject(toError(fault));
  });
  worker.on("error", (error) => {
    end(
      new LlmError("provider-internal", `the database thread failed: ${error.message}`, {
        hint: "Restart the service.",
        cause: error,
      }),
    );
  });
  worker.on("exit", () => {
    end(closed());
  });

  function end(error: LlmError): void {
    ended ??= error;
    for (const call of waiting.values()) call.reject(ended);
    waiting.clear();
  }

  function call(name: keyof Operations, values: readonly unknown[]): Promise<unknown> {
    if (ended !== undefined || (closing !== undefined && name !== "close")) {
      return Promise.reject(ended ?? closed());
    }
    return new Promise((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve, reject });
      try {
        worker.postMessage({ id, name, values } satisfies Call);
      } catch (error) {
        waiting.delete(id);
        reject(toLlmError(error, "provider-internal", { operation: "store" }));
      }
    });
  }

  await opened.catch(async (error: unknown) => {
    await worker.terminate();
    throw error;
  });

  return {
    operation: <Name extends keyof Operations>(name: Name) =>
      ((...values: readonly unknown[]) => call(name, values)) as (
        ...values: Parameters<Operations[Name]>
      ) => Promise<ReturnType<Operations[Name]>>,
    close() {
      closing ??= (async () => {
        await call("close", []).catch(() => undefined);
        await worker.terminate();
      })();
      return closing;
    },
  };
}

function closed(): LlmError {
  return new LlmError("shut-down", "the database was closed", {
    operation: "store",
    hint: "Restart the service.",
  });
}

function toError({ code, message, hint, status, retryAfterMs }: Fault): LlmError {
  return new LlmError(code, message, { operation: "store", hint, status, retryAfterMs });
}
