import { execFile } from "node:child_process";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const vite = join(dirname(createRequire(import.meta.url).resolve("vite/package.json")), "bin", "vite.js");
/** A process of its own: a test's environment would make a page for development, twice as large. */
const production = { ...process.env, NODE_ENV: "production" };
const run = promisify(execFile);
const lock = join(root, "node_modules", ".page-is-being-built");

/** Where the built page lies. */
export const pageFolder = join(root, "dist", "public");

/**
 * Builds the page when its sources are newer than what was built; one test file at a time. In CI it was built before,
 * and that is what is tested.
 */
export async function buildPage(): Promise<void> {
  if (process.env["CI"] !== undefined && (await changed(join(pageFolder, "index.html"))) > 0) return;
  while (!(await take(lock))) await new Promise((resolve) => setTimeout(resolve, 100));
  try {
    const [source, built] = await Promise.all([
      newest(join(root, "web")),
      changed(join(pageFolder, "index.html")),
    ]);
    if (built < source)
      await run(process.execPath, [vite, "build", "--logLevel", "error"], { cwd: root, env: production });
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function take(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch {
    // A build takes seconds; a lock that is older was left behind.
    if (Date.now() - (await changed(folder)) > 60_000) await rm(folder, { recursive: true, force: true });
    return false;
  }
}

async function newest(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const times = entries
    .filter((entry) => entry.isFile())
    .map((entry) => changed(join(entry.parentPath, entry.name)));
  return Math.max(...(await Promise.all(times)));
}

async function changed(path: string): Promise<number> {
  return await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}
