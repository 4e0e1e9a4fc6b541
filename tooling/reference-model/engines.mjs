// The engines of the checks. They are installed elsewhere: this folder has no dependencies.
import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

/** What is installed in `folder`: whether a package is there, and the engines that start from it. */
export function enginesIn(folder) {
  // By path, as a package may export nothing that `require` would find.
  const load = (file) => import(pathToFileURL(path.resolve(folder, "node_modules", file)).href);

  return {
    has: (name) => existsSync(path.join(folder, "node_modules", name)),

    /** llama.cpp on one thread of the CPU, and the library it came with. */
    async startLlama() {
      const library = await load("node-llama-cpp/dist/index.js");
      const llama = await library.getLlama({
        gpu: false,
        build: "never",
        skipDownload: true,
        logLevel: library.LlamaLogLevel.error,
        maxThreads: 1,
      });
      return { ...library, llama };
    },

    /** transformers.js, reading models from this folder only. */
    async startTransformers(models) {
      const library = await load("@huggingface/transformers/dist/transformers.node.mjs");
      library.env.allowRemoteModels = false;
      library.env.localModelPath = `${path.resolve(models)}/`;
      return library;
    },
  };
}
