import { execFile } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What is deployed here, and where its build ends. */
const DEPLOYED = {
  "packages/llm-core": "dist/index.js",
  "packages/llm-wire": "dist/index.js",
  "packages/llm-openai-dialect": "dist/index.js",
  "packages/llm-provider-llamacpp": "dist/index.js",
  "packages/llm-provider-ollama": "dist/index.js",
  "packages/llm-provider-openai": "dist/index.js",
  "apps/rag-service": "dist/server.js",
} as const;

/** Builds what is older than its sources, where the tests run without the build before them: a stale proof proves nothing. */
export async function setup(): Promise<void> {
  for (const [path, built] of Object.entries(DEPLOYED)) {
    const cwd = join(root, path);
    if (await isStale(cwd, built)) await promisify(execFile)("pnpm", ["run", "build"], { cwd });
  }
}

async function isStale(folder: string, built: string): Promise<boolean> {
  const made = await stat(join(folder, built)).catch(() => undefined);
  if (made === undefined) return true;
  const sources = await readdir(join(folder, "src"), { recursive: true });
  const changed = await Promise.all(sources.map((path) => stat(join(folder, "src", path))));
  return changed.some(({ mtimeMs }) => mtimeMs > made.mtimeMs);
}
