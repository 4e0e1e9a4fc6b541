import { stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";

import {
  type CallOptions,
  isLlmError,
  LlmError,
  type ModelDescription,
  type ModelFile,
  type ModelInfo,
  type PullProgress,
  type PullRequest,
} from "@enginehouse/llm-core";

import { brokenInfo, type Candidate, descriptionOf, infoOf } from "./models/describe.ts";
import { createHeaderCache } from "./models/header-cache.ts";
import { createInstalled, targetOf } from "./models/installed.ts";
import { readModelFile } from "./models/model-file.ts";
import { removePart } from "./models/part.ts";
import { createPuller } from "./models/pull.ts";
import { removeModelFiles } from "./models/remove.ts";

export interface ModelStoreOptions {
  /** The provider's name, for errors. */
  readonly name: string;
  readonly modelsDir: string;
  /** Model files of packages: they count as installed. */
  readonly packaged: readonly ModelFile[];
  /** Where `hf:` references are looked up. */
  readonly hubUrl: string;
  readonly hubToken?: string | undefined;
  /** Plain http beyond this machine. */
  readonly allowInsecureDownloads?: boolean | undefined;
  /** A download without a byte for so long fails with `timeout`. Default 60 000. */
  readonly pullStallMs?: number | undefined;
}

/** One installed model, ready to load. */
export interface InstalledModel {
  readonly id: string;
  readonly path: string;
  /** Another one when the file was replaced. */
  readonly stamp: string;
  readonly source: "folder" | "package";
  readonly demonstration: boolean;
}

/** The models on disk: those that packages bring and those in the models folder. */
export interface ModelStore {
  /** Every model, a damaged one with its problem; those for demonstration come last. */
  list(options?: CallOptions): Promise<readonly ModelInfo[]>;
  describe(model: string, options?: CallOptions): Promise<ModelDescription>;
  /** The file behind an id, proved whole as far as its header tells, before anything native sees it. */
  resolve(model: string, options?: CallOptions): Promise<InstalledModel>;
  pull(request: PullRequest, options?: CallOptions): AsyncIterable<PullProgress>;
  /** Removes a model of the folder, or what a cancelled pull has left of one. Models of packages stay. */
  delete(model: string, options?: CallOptions): Promise<{ readonly freedBytes: number }>;
  /** Ends running pulls; their parts stay. */
  close(): Promise<void>;
}

const STALL_MS = 60_000;
const AT_ONCE = 32;

export function createModelStore(options: ModelStoreOptions): ModelStore {
  const { name, modelsDir, packaged } = options;
  const headers = createHeaderCache();
  const installed = createInstalled({ name, modelsDir, packaged });
  const puller = createPuller({
    modelsDir,
    idOf: installed.idOf,
    hubUrl: options.hubUrl,
    hubToken: options.hubToken,
    allowInsecure: options.allowInsecureDownloads === true,
    stallMs: options.pullStallMs ?? STALL_MS,
  });

  async function infoOrProblem(candidate: Candidate): Promise<ModelInfo> {
    try {
      return infoOf(candidate, await readModelFile(candidate.path, headers.read));
    } catch (error) {
      const size = await stat(candidate.path).then(
        ({ size }) => size,
        () => undefined,
      );
      return brokenInfo(candidate, error instanceof Error ? error.message : String(error), size);
    }
  }

  async function readWhole(candidate: Candidate) {
    try {
      return await readModelFile(candidate.path, headers.read);
    } catch (error) {
      const hint = isLlmError(error) ? error.hint : undefined;
      const message = error instanceof Error ? error.message : String(error);
      throw new LlmError("model-load-failed", `"${candidate.id}" cannot be used: ${message}`, {
        provider: name,
        model: candidate.id,
        phase: "load",
        hint,
        cause: error,
      });
    }
  }

  return {
    async list({ signal } = {}) {
      const candidates = await installed.all(signal);
      const infos: ModelInfo[] = [];
      // Not all at once: a process may open only so many files.
      for (let from = 0; from < candidates.length; from += AT_ONCE) {
        signal?.throwIfAborted();
        infos.push(...(await Promise.all(candidates.slice(from, from + AT_ONCE).map(infoOrProblem))));
      }
      return infos.toSorted((a, b) => Number(a.demonstration ?? false) - Number(b.demonstration ?? false));
    },
    async describe(model, { signal } = {}) {
      const candidate = await installed.find(model, signal);
      return descriptionOf(candidate, await readWhole(candidate));
    },
    async resolve(model, { signal } = {}) {
      const candidate = await installed.find(model, signal);
      const file = await readWhole(candidate);
      const { problem } = infoOf(candidate, file);
      if (problem !== undefined)
        throw new LlmError("model-load-failed", `"${candidate.id}" cannot be used: ${problem}`, {
          provider: name,
          model: candidate.id,
        });
      const { id, path } = candidate;
      return {
        id,
        path,
        stamp: `${file.sizeBytes} ${file.modifiedAt.getTime()}`,
        source: candidate.packaged === undefined ? "folder" : "package",
        demonstration: candidate.packaged?.demonstration === true,
      };
    },
    pull: ({ model }, call = {}) => puller.pull(model, call),
    async delete(model, { signal } = {}) {
      const target = targetOf(model);
      if (target !== undefined && puller.isPulling(target)) throw busy(model);
      const rest = target === undefined ? 0 : await removePart(join(modelsDir, target));
      const candidate = await installed.find(model, signal).catch((error: unknown) => {
        if (rest > 0) return undefined;
        throw error;
      });
      if (candidate === undefined) return { freedBytes: rest };
      if (candidate.packaged !== undefined) {
        throw new LlmError(
          "invalid-request",
          `"${candidate.id}" belongs to the package ${candidate.packaged.packageName}`,
          {
            provider: name,
            model,
            hint: `Uninstall it with the package: npm uninstall ${candidate.packaged.packageName}`,
          },
        );
      }
      const file = relative(modelsDir, candidate.path).split(sep).join("/");
      if (puller.isPulling(file)) throw busy(model);
      return { freedBytes: rest + (await removeModelFiles(modelsDir, file, name)) };
    },
    close: () => puller.close(),
  };

  function busy(model: string): LlmError {
    return new LlmError("invalid-request", `"${model}" is being fetched`, {
      provider: name,
      model,
      hint: "Cancel the pull first.",
    });
  }
}
