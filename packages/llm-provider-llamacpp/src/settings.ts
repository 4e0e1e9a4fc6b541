import { availableParallelism } from "node:os";
import { resolve } from "node:path";

import { lazySchema } from "@enginehouse/llm-core";
import type { ZodType } from "zod";

import { defaultModelsDir } from "./models/models-dir.ts";
import type { EngineOptions } from "./wire.ts";

/** What a user may configure. Read once, at the first operation. */
export interface LlamacppSettings {
  /** Where the GGUF files are, and where pulled ones go. Default `LLAMACPP_MODELS_DIR`, else `models` in `ENGINEHOUSE_DATA_DIR`, else in the user's data folder for Enginehouse. */
  readonly modelsDir?: string | undefined;
  /** `process` (default): the engine runs in a child process, whose crash is an error and no more. `none`: in this one. */
  readonly isolation?: "process" | "none" | undefined;
  /** Default `auto`: the best that is installed and works. */
  readonly gpu?: "auto" | "metal" | "cuda" | "vulkan" | false | undefined;
  /** Layers of a model to keep on the GPU. Default `auto`: as many as fit. */
  readonly gpuLayers?: "auto" | "max" | number | undefined;
  /** Default half of the processor's, at most 8: threads of llama.cpp wait for each other by spinning. */
  readonly threads?: number | undefined;
  /** Tokens. Default what the model was made for, but at most 8 192. */
  readonly contextWindow?: number | undefined;
  /** Chats of one model at the same time, each with a window of its own in memory. Default 2. */
  readonly parallel?: number | undefined;
  /** How long an unused model stays loaded. Default 300 000. */
  readonly keepAliveMs?: number | undefined;
  /** Whether a model may be named by the absolute path of its file. Default false. */
  readonly allowPaths?: boolean | undefined;
  /** What is put before a text to embed, by model id, where the model was trained with such words. */
  readonly prefixes?:
    | Readonly<
        Record<string, { readonly query?: string | undefined; readonly document?: string | undefined }>
      >
    | undefined;
  /** Where `hf:` names are looked up. Default `HF_ENDPOINT`, else Hugging Face. */
  readonly hubUrl?: string | undefined;
  /** For models that need one. Default `HF_TOKEN`. */
  readonly hubToken?: string | undefined;
  /** Whether models may come over plain http from other machines. Default false. */
  readonly allowInsecureDownloads?: boolean | undefined;
  /** A download without a byte for so long fails. Default 60 000. */
  readonly pullStallMs?: number | undefined;
}

export const settings = lazySchema<LlamacppSettings>(async () => {
  const { z } = await import("zod");
  const schema: ZodType<LlamacppSettings> = z.strictObject({
    modelsDir: z.string().min(1).optional(),
    isolation: z.enum(["process", "none"]).optional(),
    gpu: z.union([z.enum(["auto", "metal", "cuda", "vulkan"]), z.literal(false)]).optional(),
    gpuLayers: z.union([z.enum(["auto", "max"]), z.int().nonnegative()]).optional(),
    threads: z.int().positive().optional(),
    contextWindow: z.int().positive().optional(),
    parallel: z.int().positive().max(64).optional(),
    keepAliveMs: z.number().nonnegative().optional(),
    allowPaths: z.boolean().optional(),
    prefixes: z
      .record(z.string(), z.strictObject({ query: z.string().optional(), document: z.string().optional() }))
      .optional(),
    hubUrl: z.url().optional(),
    hubToken: z.string().min(1).optional(),
    allowInsecureDownloads: z.boolean().optional(),
    pullStallMs: z.number().positive().optional(),
  });
  return schema;
});

export const KEEP_ALIVE = 300_000;

/**
 * Half of the processors, at most 8. More do not pay: memory is what generation waits for, and where other work takes
 * a processor away, all threads spin until the last one arrives (30 times slower on two busy processors).
 */
export function defaultThreads(processors: number): number {
  return Math.max(1, Math.min(8, Math.floor(processors / 2)));
}

export function engineOptions(given: LlamacppSettings): EngineOptions {
  return {
    gpu: given.gpu ?? "auto",
    gpuLayers: given.gpuLayers ?? "auto",
    threads: given.threads ?? defaultThreads(availableParallelism()),
    contextWindow: given.contextWindow,
    parallel: given.parallel ?? 2,
    keepAlive: given.keepAliveMs ?? KEEP_ALIVE,
  };
}

/** What the model store needs, with the environment's word where the settings say nothing. */
export function storeOptions(given: LlamacppSettings, env: NodeJS.ProcessEnv = process.env) {
  const said = (name: string): string | undefined => env[name]?.trim() || undefined;
  return {
    modelsDir: resolve(given.modelsDir ?? said("LLAMACPP_MODELS_DIR") ?? defaultModelsDir(env)),
    hubUrl: given.hubUrl ?? said("HF_ENDPOINT") ?? "https://huggingface.co",
    hubToken: given.hubToken ?? said("HF_TOKEN"),
    allowInsecureDownloads: given.allowInsecureDownloads ?? false,
    pullStallMs: given.pullStallMs,
  };
}
