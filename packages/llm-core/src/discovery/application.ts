import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { LlmError } from "../errors.ts";
import { isRecord, type PackageJson, type PackageJsonFile, readPackageJson } from "./package-json.ts";

/** The package that asks for plugins: its dependencies are the candidates. */
export interface Application {
  /** Path of its package.json. */
  readonly packageJson: string;
  readonly dependencies: readonly Dependency[];
  /** Commands of its package manager; the names of packages follow. */
  readonly addCommand: string;
  readonly installCommand: string;
  readonly removeCommand: string;
}

export interface Dependency {
  readonly name: string;
  readonly optional: boolean;
}

/** The application around `from`, by default around the working directory. */
export async function findApplication(from?: string | URL): Promise<Application> {
  const start = pathOf(from);
  const file = await nearestPackageJson(start);
  if (file?.content === undefined) {
    const says = file === undefined ? `no package.json at or above ${start}` : `${file.path}: ${file.fault}`;
    throw new LlmError("invalid-request", `no application to discover plugins for: ${says}`, {
      hint: from === undefined ? "pass `from: import.meta.url`" : "pass a file or folder of the application",
    });
  }
  const folder = dirname(file.path);
  const manager = await packageManagerOf(folder);
  return {
    packageJson: file.path,
    dependencies: readDependencies(file.content),
    addCommand: `${manager} ${manager === "npm" ? "install" : "add"}`,
    installCommand: `${manager} install`,
    removeCommand: `${manager} ${manager === "npm" ? "uninstall" : "remove"}`,
  };
}

function pathOf(from: string | URL = process.cwd()): string {
  const isUrl = from instanceof URL || /^[a-z][a-z0-9+.-]+:/i.test(from);
  if (!isUrl) return resolve(from);
  try {
    return fileURLToPath(from);
  } catch (cause) {
    throw new LlmError("invalid-request", `"${String(from)}" is no place to discover plugins from`, {
      hint: "pass a path or a file: URL of the application, such as import.meta.url",
      cause,
    });
  }
}

async function nearestPackageJson(start: string): Promise<PackageJsonFile | undefined> {
  if (basename(start) === "package.json") {
    const file = await readPackageJson(start);
    if (file.content !== undefined || file.fault !== undefined) return file;
  }
  for (const folder of foldersUp(start)) {
    const file = await readPackageJson(join(folder, "package.json"));
    if (file.fault !== undefined || (file.content !== undefined && !isMarker(file.content))) return file;
  }
  return undefined;
}

/** A package.json that only tells the module system of a folder, as build tools leave them, is no application. */
function isMarker(content: PackageJson): boolean {
  const keys = Object.keys(content);
  return keys.length > 0 && keys.every((key) => key === "type" || key === "sideEffects");
}

function* foldersUp(start: string): Generator<string> {
  let folder = start;
  for (;;) {
    yield folder;
    const parent = dirname(folder);
    if (parent === folder) return;
    folder = parent;
  }
}

function readDependencies(content: PackageJson): readonly Dependency[] {
  const found = new Map<string, Dependency>();
  for (const [field, optional] of [
    ["dependencies", false],
    ["optionalDependencies", true],
  ] as const) {
    const listed = content[field];
    if (!isRecord(listed)) continue;
    for (const name of Object.keys(listed)) found.set(name, { name, optional });
  }
  return [...found.values()];
}

const LOCKFILES = {
  "pnpm-lock.yaml": "pnpm",
  "yarn.lock": "yarn",
  "bun.lock": "bun",
  "package-lock.json": "npm",
} as const;

/** Told by the lockfile nearest to the application; npm where there is none. */
async function packageManagerOf(folder: string): Promise<"pnpm" | "yarn" | "bun" | "npm"> {
  for (const above of foldersUp(folder)) {
    for (const [lockfile, name] of Object.entries(LOCKFILES)) {
      if (await isThere(join(above, lockfile))) return name;
    }
  }
  return "npm";
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
