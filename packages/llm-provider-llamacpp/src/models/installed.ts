import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { LlmError, type ModelFile } from "@enginehouse/llm-core";

import type { Candidate } from "./describe.ts";
import { idOfFile, MAX_DEPTH, scanModels } from "./folder.ts";
import { hasQuantization, ownTarget, type PullReference, readReference } from "./reference.ts";

/** The models of the folder and of packages, each under one id of its own. */
export interface Installed {
  all(signal?: AbortSignal): Promise<readonly Candidate[]>;
  /** By id, by file name, or by the reference it was pulled with. */
  find(model: string, signal?: AbortSignal): Promise<Candidate>;
  /** The id of a file of the folder. */
  idOf(file: string): string;
}

export function createInstalled({
  name,
  modelsDir,
  packaged,
}: {
  readonly name: string;
  readonly modelsDir: string;
  readonly packaged: readonly ModelFile[];
}): Installed {
  /** A file whose id a package has already keeps its ending, so that both can be named. */
  function idOf(file: string): string {
    const id = idOfFile(file);
    return packaged.some((model) => model.id === id) ? file : id;
  }

  async function all(signal?: AbortSignal): Promise<readonly Candidate[]> {
    const files = await scanModels(modelsDir, signal);
    const taken = new Map<string, string>();
    for (const file of files) {
      const id = idOf(file);
      if (!taken.has(id) || file === `${id}.gguf`) taken.set(id, file);
    }
    const inFolder = files.map((file) => {
      const id = idOf(file);
      return { id: taken.get(id) === file ? id : file, path: join(modelsDir, file), packaged: undefined };
    });
    return [...inFolder, ...packaged.map((model) => ({ id: model.id, path: model.path, packaged: model }))];
  }

  /** Without a look at the whole folder, as every chat asks for its model: the usual id is that of one file. */
  async function findDirectly(id: string): Promise<Candidate | undefined> {
    const own = packaged.find((model) => model.id === id);
    if (own !== undefined) return { id, path: own.path, packaged: own };
    if (!isPlainId(id)) return undefined;
    const path = join(modelsDir, `${id}.gguf`);
    // The folder is read, not the file asked for: on some systems Model.gguf answers to model.gguf, too.
    const names = await readdir(dirname(path)).catch((): string[] => []);
    if (!names.includes(basename(path))) return undefined;
    return (await stat(path).catch(() => undefined))?.isFile() === true
      ? { id, path, packaged: undefined }
      : undefined;
  }

  return {
    all,
    idOf,
    async find(model, signal) {
      const direct = await findDirectly(model);
      if (direct !== undefined) return direct;
      const candidates = await all(signal);
      const reference = readAsReference(model);
      const target = reference === undefined ? undefined : ownTarget(reference);
      const wanted = [
        model,
        model.replace(/\.gguf$/i, ""),
        ...(target === undefined ? [] : [idOf(target), target]),
      ];
      for (const id of wanted) {
        const found = candidates.find((candidate) => candidate.id === id);
        if (found !== undefined) return found;
      }
      const pulled = reference === undefined ? undefined : findPulled(reference, candidates);
      if (pulled !== undefined) return pulled;
      const known = candidates.length === 0 ? "" : ` (installed: ${listed(candidates.map(({ id }) => id))})`;
      if (reference !== undefined) {
        throw new LlmError("model-not-installed", `"${model}" is not installed${known}`, {
          provider: name,
          model,
          hint: "Pull it first.",
        });
      }
      throw new LlmError("model-not-found", `no model "${model}" is installed${known}`, {
        provider: name,
        model,
        hint: `Put a GGUF file into ${modelsDir}, or pull one such as hf:user/repository:Q4_K_M.`,
      });
    },
  };
}

/** The file below the models folder that a reference names by itself; `undefined` for a name that is no reference. */
export function targetOf(model: string): string | undefined {
  const reference = readAsReference(model);
  return reference === undefined ? undefined : ownTarget(reference);
}

function readAsReference(model: string): PullReference | undefined {
  if (!/^(?:hf:|https?:\/\/)/i.test(model)) return undefined;
  try {
    return readReference(model);
  } catch {
    return undefined;
  }
}

/** `hf:user/repository:Q4_K_M` names a file only at the hub; here it is the one of that repository that fits. */
function findPulled(reference: PullReference, candidates: readonly Candidate[]): Candidate | undefined {
  if (reference.kind !== "hub" || reference.file !== undefined) return undefined;
  const { repository, quantization } = reference;
  const own = candidates.filter(({ id }) => id.startsWith(`${repository}/`));
  const fitting =
    quantization === undefined ? own : own.filter(({ id }) => hasQuantization(id, quantization));
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** Steps that the listing would go, too: no hidden ones and none upwards. */
function isPlainId(id: string): boolean {
  const steps = id.split("/");
  return steps.length <= MAX_DEPTH && steps.every((step) => step !== "" && !/^\.|[\\:\0]/.test(step));
}

function listed(ids: readonly string[]): string {
  return ids.length <= 6 ? ids.join(", ") : `${ids.slice(0, 6).join(", ")} and ${ids.length - 6} more`;
}
