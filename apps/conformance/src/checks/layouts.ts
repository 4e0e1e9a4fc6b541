import { cp, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { declaredDependencies } from "./built-files.ts";

/** How a package manager lays packages out. */
export type Layout = "npm" | "pnpm";

export const LAYOUTS: readonly Layout[] = ["npm", "pnpm"];

/**
 * An application with the package installed, as it would be published: a copy, which sees its declared dependencies
 * and nothing else. Gone afterwards.
 */
export async function withInstalled(
  layout: Layout,
  content: Readonly<Record<string, unknown>>,
  folder: URL,
  use: (application: string, installed: string) => Promise<void>,
): Promise<void> {
  const name = String(content["name"]);
  const application = await mkdtemp(join(tmpdir(), "llm-conformance-"));
  const modules = join(application, "node_modules");
  // A strict store has a folder for each package, in which only its own dependencies stand beside it.
  const around =
    layout === "npm" ? modules : join(modules, ".pnpm", name.replaceAll("/", "+"), "node_modules");
  const installed = join(around, name);
  try {
    await copyPublished(content, fileURLToPath(folder), installed);
    for (const dependency of declaredDependencies(content))
      await link(dependency, folder, join(around, dependency));
    if (layout === "pnpm") await linkFolder(installed, join(modules, name));
    const own = { name: "application", private: true, type: "module", dependencies: { [name]: "*" } };
    await writeFile(join(application, "package.json"), JSON.stringify(own));
    await use(application, installed);
  } finally {
    await rm(application, { recursive: true, force: true });
  }
}

/** What `files` names, and what is always published. */
async function copyPublished(
  content: Readonly<Record<string, unknown>>,
  from: string,
  to: string,
): Promise<void> {
  const { files } = content;
  const listed = Array.isArray(files)
    ? files.map(String).filter((one) => !one.startsWith("!") && !one.includes("*"))
    : undefined;
  await mkdir(to, { recursive: true });
  if (listed === undefined) {
    const left = /[/\\](?:node_modules|\.git|test|coverage)(?:[/\\]|$)/;
    await cp(from, to, { recursive: true, filter: (path) => !left.test(path.slice(from.length - 1)) });
    return;
  }
  for (const file of ["package.json", ...listed]) {
    const found = await stat(join(from, file)).catch(() => undefined);
    if (found !== undefined) await cp(join(from, file), join(to, file), { recursive: true });
  }
}

async function link(name: string, folder: URL, place: string): Promise<void> {
  for (const modules of createRequire(new URL("package.json", folder)).resolve.paths(
    `${name}/package.json`,
  ) ?? []) {
    const found = join(modules, name);
    if ((await stat(join(found, "package.json")).catch(() => undefined)) === undefined) continue;
    return linkFolder(found, place);
  }
}

async function linkFolder(target: string, place: string): Promise<void> {
  await mkdir(dirname(place), { recursive: true });
  await symlink(target, place, "junction");
}
