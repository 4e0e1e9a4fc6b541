import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's own folder. */
export const root: string = fileURLToPath(new URL("../../..", import.meta.url));

/** A file as the checks see it: where it is, with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A `package.json`, as far as the checks read it. */
export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly llmProvider?: ProviderManifest | undefined;
  readonly [field: string]: unknown;
}

export interface ProviderManifest {
  readonly id: string;
  readonly contract: number;
  readonly entry: string;
  readonly operations: readonly string[];
  readonly features: readonly string[];
  /** Where its report of the conformance kit is. */
  readonly conformance?: string;
}

/** One package of the workspace. */
export interface Member {
  /** `packages/llm-core` */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** The packages below the given parents, in order. A folder without a `package.json` is none. */
export function members(...parents: readonly string[]): readonly Member[] {
  const folders = parents.flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => `${parent}/${name}`),
  );
  return folders
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .map((folder) => ({ folder, manifest: readManifest(`${folder}/package.json`) }));
}

/** The members that are published: all packages, and the apps that do not say otherwise. */
export function published(): readonly Member[] {
  return [...members("packages"), ...members("apps").filter(({ manifest }) => manifest.private !== true)];
}

export function readManifest(path: string): Manifest {
  return JSON.parse(read(path)) as Manifest;
}

export function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

export function isThere(path: string): boolean {
  return existsSync(join(root, path));
}

/** Every file of the checkout below `folder` that someone wrote: nothing installed, built, fetched or reported. */
export function filesBelow(folder: string): readonly string[] {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  return readdirSync(start, { withFileTypes: true }).flatMap((entry) => {
    const path = relative(root, join(start, entry.name)).split(sep).join("/");
    if (entry.isDirectory()) return made.has(entry.name) ? [] : filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

export function sourcesBelow(folder: string): readonly SourceFile[] {
  return filesBelow(folder)
    .filter((path) => /\.[mc]?[jt]sx?$/.test(path))
    .map((path) => ({ path, text: read(path) }));
}

const made = new Set(["node_modules", "dist", "coverage", "reports", ".git", ".tools", ".turbo"]);
