import { LlmError } from "@enginehouse/llm-core";
import type * as Library from "node-llama-cpp";

import { readLlamaFault } from "../errors.ts";
import type { EngineOptions } from "../wire.ts";

export type NodeLlama = typeof Library;

/** The native library of this process. */
export interface Native {
  readonly library: NodeLlama;
  readonly llama: Library.Llama;
  /** The last lines that the native code reported, newest last; they say what its exceptions do not. */
  lastWords(): string | undefined;
  forgetWords(): void;
}

const KEPT_LINES = 12;

/** Starts the native library: once for each process, it takes a third of a second and more. */
export async function startNative(options: EngineOptions): Promise<Native> {
  const library = await importLibrary();
  let words: string[] = [];
  try {
    const llama = await library.getLlama({
      gpu: options.gpu,
      build: "never",
      skipDownload: true,
      progressLogs: false,
      maxThreads: options.threads,
      logLevel: library.LlamaLogLevel.error,
      logger: (_, message) => {
        words = [...words, message.trim()].slice(-KEPT_LINES);
      },
    });
    return {
      library,
      llama,
      lastWords: () => (words.length === 0 ? undefined : words.join("\n")),
      forgetWords: () => (words = []),
    };
  } catch (error) {
    throw readLlamaFault(error, { phase: "load" });
  }
}

async function importLibrary(): Promise<NodeLlama> {
  try {
    return await import("node-llama-cpp");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LlmError("unavailable", `the package node-llama-cpp could not be imported: ${why}`, {
      retryable: false,
      hint: why.startsWith("env-var:")
        ? "unset the environment variable, or give it a value that node-llama-cpp can read"
        : "install the dependencies of @enginehouse/llm-provider-llamacpp again, optional ones included",
      cause,
    });
  }
}

/** `llama.dispose()` never settles when a load has failed before and its model was collected: so it gets a limit. */
export async function stopNative({ llama }: Native): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, 2_000)));
  try {
    await Promise.race([llama.dispose(), limit]);
  } finally {
    clearTimeout(timer);
  }
}
