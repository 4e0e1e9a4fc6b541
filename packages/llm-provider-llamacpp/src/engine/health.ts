import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Health } from "@enginehouse/llm-core";

/** Whether the native library is here for this system. Nothing is loaded for the answer. */
export async function healthOf(): Promise<Health> {
  try {
    const entry = fileURLToPath(import.meta.resolve("node-llama-cpp"));
    const manifest: unknown = JSON.parse(await readFile(join(dirname(entry), "..", "package.json"), "utf8"));
    const { version, optionalDependencies = {} } = manifest as {
      version?: string;
      optionalDependencies?: Record<string, string>;
    };
    const system = `${process.platform === "win32" ? "win" : process.platform}-${process.arch}`.replace(
      "darwin",
      "mac",
    );
    const builds = Object.keys(optionalDependencies).filter((name) =>
      name.startsWith(`@node-llama-cpp/${system}`),
    );
    const status = { version: `node-llama-cpp ${version}` };
    if (builds.some((name) => isInstalled(name, entry))) return { status: "ok", ...status };
    return {
      status: "down",
      ...status,
      message: `there is no llama.cpp build for ${system}`,
      hint:
        builds.length > 0 ? `install ${builds.join(" or ")}` : "see the systems that node-llama-cpp supports",
    };
  } catch {
    return {
      status: "down",
      message: "the package node-llama-cpp is not installed",
      hint: "install the dependencies of @enginehouse/llm-provider-llamacpp again",
    };
  }
}

function isInstalled(name: string, from: string): boolean {
  const folders = createRequire(from).resolve.paths(name) ?? [];
  return folders.some((folder) => existsSync(join(folder, name)));
}
