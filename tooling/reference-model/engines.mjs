// The engines, taken from the folder that a check is run in: it needs the packages, this one does not.
import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

/** Imports the file of an installed package by its path, as a package may export nothing that `require` finds. */
function importInstalled(file) {
  return import(pathToFileURL(path.resolve("node_modules", file)).href);
}

export function isInstalled(name) {
  return existsSync(path.join("node_modules", name));
}

/** One llama.cpp on one thread of the CPU, and the library it came with. */
export async function startLlama() {
  const library = await importInstalled("node-llama-cpp/dist/index.js");
  const llama = await library.getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    logLevel: library.LlamaLogLevel.error,
    maxThreads: 1,
  });
  return { ...library, llama };
}

/** transformers.js, reading models from this folder only. */
export async function startTransformers(folder) {
  const library = await importInstalled("@huggingface/transformers/dist/transformers.node.mjs");
  library.env.allowRemoteModels = false;
  library.env.localModelPath = `${path.resolve(folder)}/`;
  return library;
}
