import { cp, mkdir, readdir, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { run, type RunOptions } from "./commands.ts";
import { FIXTURES } from "./fixtures.ts";

const require = createRequire(import.meta.url);
const manifestOf = (name: string): string => require.resolve(`@enginehouse/${name}/package.json`);
const core = manifestOf("llm-core");

export interface Publishing {
  readonly pnpm: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** An empty folder to work in. */
  readonly folder: string;
}

/** Publishes packages of the house as they are packed for the world; gives their folders. */
export async function publishHouse(
  names: readonly string[],
  { pnpm, env, folder }: Publishing,
): Promise<readonly string[]> {
  const tarballs = join(folder, "tarballs");
  const folders = names.map((name) => dirname(manifestOf(name)));
  for (const cwd of folders) {
    const options: RunOptions = { cwd, env };
    if (await isStale(cwd)) await run([...pnpm, "run", "build"], options);
    await run([...pnpm, "pack", "--pack-destination", tarballs], options);
  }
  for (const tarball of await readdir(tarballs)) {
    await run([...pnpm, "publish", "--no-git-checks", join(tarballs, tarball)], { cwd: folder, env });
  }
  return folders;
}

/** Publishes the core and echo, what they depend on, and the fixtures. */
export async function publishAll(publishing: Publishing): Promise<void> {
  const { pnpm, env, folder } = publishing;
  await publishHouse(["llm-core", "llm-provider-echo"], publishing);
  const workspace = join(folder, "workspace");
  await mkdir(workspace);
  await writeFile(join(workspace, "package.json"), `{ "private": true }`);
  await writeFile(join(workspace, "pnpm-workspace.yaml"), "packages: ['*']\n");
  await copyZod(join(workspace, "zod"));
  for (const { packageJson, files } of FIXTURES) {
    const target = join(workspace, packageJson.name);
    await mkdir(target);
    await writeFile(join(target, "package.json"), JSON.stringify(packageJson));
    for (const [path, text] of Object.entries(files)) await writeFile(join(target, path), text);
  }
  await run([...pnpm, "-r", "publish", "--no-git-checks", "--ignore-scripts"], { cwd: workspace, env });
}

/** Newer sources than built files: only where the tests run without the build before them. */
async function isStale(packageFolder: string): Promise<boolean> {
  const built = await stat(join(packageFolder, "dist/index.d.ts")).catch(() => undefined);
  if (built === undefined) return true;
  const sources = await readdir(join(packageFolder, "src"), { recursive: true });
  const changed = await Promise.all(sources.map((path) => stat(join(packageFolder, "src", path))));
  return changed.some(({ mtimeMs }) => mtimeMs > built.mtimeMs);
}

/** zod as it is installed here, so that the registry needs no other one behind it. */
async function copyZod(target: string): Promise<void> {
  const installed = dirname(createRequire(core).resolve("zod/package.json"));
  await cp(await realpath(installed), target, { recursive: true });
  await rm(join(target, "node_modules"), { recursive: true, force: true });
  const { scripts: _, ...packageJson } = JSON.parse(await readFile(join(target, "package.json"), "utf8")) as {
    scripts?: unknown;
  };
  await writeFile(join(target, "package.json"), JSON.stringify(packageJson));
}
