import { realpath, rm, stat } from "node:fs/promises";
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
import { removePart } from "./models/download.ts";
import { idOfFile, scanModels } from "./models/folder.ts";
import { createHeaderCache } from "./models/header-cache.ts";
import { partNames, readModelFile } from "./models/model-file.ts";
import { createPuller } from "./models/pull.ts";

export { type CatalogueEntry, catalogue } from "./models/catalogue.ts";

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

export function createModelStore(options: ModelStoreOptions): ModelStore {
  const { name, modelsDir, packaged } = options;
  const headers = createHeaderCache();
  const puller = createPuller({
    modelsDir,
    idOf: (target) => folderId(target),
    hubUrl: options.hubUrl,
    hubToken: options.hubToken,
    allowInsecure: options.allowInsecureDownloads === true,
    stallMs: options.pullStallMs ?? STALL_MS,
  });

  /** A file of the folder whose id a package has already keeps its ending, so that both can be named. */
  function folderId(file: string): string {
    const id = idOfFile(file);
    return packaged.some((model) => model.id === id) ? file : id;
  }

  async function findAll(signal: AbortSignal | undefined): Promise<readonly Candidate[]> {
    const files = await scanModels(modelsDir, signal);
    const taken = new Map<string, string>();
    for (const file of files) if (!taken.has(folderId(file))) taken.set(folderId(file), file);
    const inFolder = files.map((file) => {
      const id = folderId(file);
      return { id: taken.get(id) === file ? id : file, path: join(modelsDir, file), packaged: undefined };
    });
    return [...inFolder, ...packaged.map((model) => ({ id: model.id, path: model.path, packaged: model }))];
  }

  async function find(model: string, signal: AbortSignal | undefined): Promise<Candidate> {
    const all = await findAll(signal);
    const pulled = targetOf(model);
    const wanted = [
      model,
      model.replace(/\.gguf$/i, ""),
      ...(pulled === undefined ? [] : [folderId(pulled), pulled]),
    ];
    for (const id of wanted) {
      const found = all.find((candidate) => candidate.id === id);
      if (found !== undefined) return found;
    }
    const known = all.map(({ id }) => id);
    const reference = /^(?:hf:|https?:\/\/)/i.test(model);
    throw new LlmError(
      reference ? "model-not-installed" : "model-not-found",
      `no model "${model}" is installed${known.length === 0 ? "" : ` (installed: ${listed(known)})`}`,
      {
        provider: name,
        model,
        hint: reference
          ? "Pull it first."
          : `Put a GGUF file into ${modelsDir}, or pull one such as hf:user/repository:Q4_K_M.`,
      },
    );
  }

  function targetOf(model: string): string | undefined {
    try {
      return puller.targetOf(model);
    } catch {
      return undefined;
    }
  }

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
      const infos = await Promise.all((await findAll(signal)).map(infoOrProblem));
      return infos.toSorted((a, b) => Number(a.demonstration ?? false) - Number(b.demonstration ?? false));
    },
    async describe(model, { signal } = {}) {
      const candidate = await find(model, signal);
      return descriptionOf(candidate, await readWhole(candidate));
    },
    async resolve(model, { signal } = {}) {
      const candidate = await find(model, signal);
      const { problem } = infoOf(candidate, await readWhole(candidate));
      if (problem !== undefined)
        throw new LlmError("model-load-failed", `"${candidate.id}" cannot be used: ${problem}`, {
          provider: name,
          model: candidate.id,
        });
      const { id, path } = candidate;
      return {
        id,
        path,
        source: candidate.packaged === undefined ? "folder" : "package",
        demonstration: candidate.packaged?.demonstration === true,
      };
    },
    pull: ({ model }, call = {}) => puller.pull(model, call),
    async delete(model, { signal } = {}) {
      const target = targetOf(model);
      if (target !== undefined && puller.isPulling(target)) throw busy(model);
      const rest = target === undefined ? 0 : await removePart(join(modelsDir, target));
      const candidate = await find(model, signal).catch((error: unknown) => {
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
      return { freedBytes: rest + (await removeFiles(file)) };
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

  /** All parts of a model. Of a link only the link goes. */
  async function removeFiles(file: string): Promise<number> {
    const slash = file.lastIndexOf("/") + 1;
    const root = await realpath(modelsDir);
    let freed = 0;
    for (const part of partNames(file.slice(slash))) {
      const path = join(modelsDir, file.slice(0, slash), part);
      const folder = await realpath(join(modelsDir, file.slice(0, slash)));
      if (folder !== root && !folder.startsWith(root + sep)) {
        throw new LlmError("forbidden", `${path} lies outside the models folder`, { provider: name });
      }
      const found = await stat(path).catch(() => undefined);
      if (found === undefined) continue;
      await rm(path);
      freed += found.size;
    }
    return freed;
  }
}

function listed(ids: readonly string[]): string {
  return ids.length <= 6 ? ids.join(", ") : `${ids.slice(0, 6).join(", ")} and ${ids.length - 6} more`;
}
