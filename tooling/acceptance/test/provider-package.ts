import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import type { Deployed } from "./deployed.ts";

const exec = promisify(execFile);
const require = createRequire(import.meta.url);

/**
 * Installs a provider package of the house beside the deployed service: packed as it is published, with what it
 * depends on and the service does not have yet, laid out flat as npm does it.
 */
export async function installProvider(app: Deployed, name: string): Promise<void> {
  const from = dirname(require.resolve(`${name}/package.json`));
  const { version } = await install(from, name, join(app.folder, "node_modules"));
  await app.depend({ [name]: version });
}

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

async function install(from: string, name: string, into: string): Promise<Manifest> {
  const target = join(into, name);
  await mkdir(target, { recursive: true });
  if (name.startsWith("@enginehouse/")) await unpack(from, target);
  else await cp(from, target, { recursive: true, dereference: true, filter: isOwn(from) });
  const manifest = JSON.parse(await readFile(join(target, "package.json"), "utf8")) as Manifest;
  for (const needed of Object.keys(manifest.dependencies ?? {})) {
    const there = await stat(join(into, needed)).catch(() => undefined);
    if (there === undefined) await install(await findInstalled(needed, from, name), needed, into);
  }
  return manifest;
}

/** What `pnpm publish` would send. */
async function unpack(from: string, target: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "enginehouse-pack-"));
  try {
    await exec("pnpm", ["pack", "--pack-destination", folder], { cwd: from });
    const [tarball = ""] = await readdir(folder);
    await exec("tar", ["-xzf", join(folder, tarball), "-C", target, "--strip-components", "1"]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const isOwn =
  (from: string) =>
  (path: string): boolean =>
    path !== join(from, "node_modules");

/** Beside the package itself, as pnpm lays it out, or in a folder of its own. */
async function findInstalled(name: string, from: string, own: string): Promise<string> {
  for (const folder of [join(from, "node_modules"), from.slice(0, -own.length)]) {
    const found = await realpath(join(folder, name)).catch(() => undefined);
    if (found !== undefined) return found;
  }
  throw new Error(`${own} needs ${name}, which is not installed here`);
}
