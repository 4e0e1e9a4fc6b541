import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  type Damage,
  type Script,
  type ScriptedModelOptions,
  writeDamagedGguf,
  writeEmbedderGguf,
  writeRandomGguf,
  writeRerankerGguf,
  writeScriptedGguf,
} from "@enginehouse/llm-reference-model/scripted";
import { afterAll } from "vitest";

import { createLlamacpp, type LlamacppProvider, type LlamacppSettings } from "../src/index.ts";

/** A models folder of its own for one test file, and providers over it that are closed when the file is done. */
export interface ModelFolder {
  readonly folder: string;
  provider(settings?: LlamacppSettings): LlamacppProvider;
  scripted(id: string, script: Script, options?: Omit<ScriptedModelOptions, "script">): string;
  random(id: string, options?: Parameters<typeof writeRandomGguf>[1]): string;
  embedder(id: string, options?: Parameters<typeof writeEmbedderGguf>[1]): string;
  reranker(id: string, options: Parameters<typeof writeRerankerGguf>[1]): string;
  damaged(id: string, damage: Damage): string;
}

export function createModelFolder(): ModelFolder {
  const folder = mkdtempSync(join(tmpdir(), "llamacpp-"));
  const providers: LlamacppProvider[] = [];
  const pathOf = (id: string): string => join(folder, `${id}.gguf`);
  afterAll(async () => {
    await Promise.all(providers.map((provider) => provider.close()));
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    folder,
    provider(settings = {}) {
      const made = createLlamacpp({ modelsDir: folder, threads: 1, gpu: false, ...settings });
      providers.push(made);
      return made;
    },
    scripted(id, script, options = {}) {
      writeScriptedGguf(pathOf(id), { ...options, script });
      return id;
    },
    random(id, options = {}) {
      writeRandomGguf(pathOf(id), options);
      return id;
    },
    embedder(id, options = {}) {
      writeEmbedderGguf(pathOf(id), options);
      return id;
    },
    reranker(id, options) {
      writeRerankerGguf(pathOf(id), options);
      return id;
    },
    damaged(id, damage) {
      writeDamagedGguf(pathOf(id), damage);
      return id;
    },
  };
}
