import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { type Names, namesOf, rename } from "./names.ts";

export interface CreateOptions {
  /** The provider's id, or the package's whole name: `acme`, `@me/llm-provider-acme`. */
  readonly name: string;
  /** Where to write. Default: a folder of the package's name, without its scope, in the working directory. */
  readonly folder?: string | undefined;
  /** Version ranges for the packages that the new one needs. Default: those that this version was published with. */
  readonly versions?: Readonly<Record<string, string>> | undefined;
}

export interface Created {
  readonly names: Names;
  readonly folder: string;
  /** Relative to the folder, with slashes. */
  readonly files: readonly string[];
}

/** Both `src` and `dist` lie beside the template. */
const TEMPLATE = fileURLToPath(new URL("../template/", import.meta.url));

/** Writes a provider plugin into a folder that is empty or not there yet; nothing is ever overwritten. */
export async function createProviderPackage({ name, folder, versions }: CreateOptions): Promise<Created> {
  const names = namesOf(name);
  const target = resolve(folder ?? basename(names.packageName));
  await assertFree(target);
  const ranges = versions ?? (await publishedVersions());
  const sources = await filesUnder(TEMPLATE);
  const files: string[] = [];
  for (const source of sources) {
    const path = published(relative(TEMPLATE, source).replaceAll("\\", "/"));
    const text = rename(await readFile(source, "utf8"), names);
    const destination = join(target, path);
    await mkdir(dirname(destination), { recursive: true });
    await writeFile(destination, path === "package.json" ? withVersions(text, ranges) : text, { flag: "wx" });
    files.push(path);
  }
  return { names, folder: target, files: files.toSorted() };
}

/** npm and its tools take files of these names for their own, wherever they lie. */
const published = (path: string): string => PUBLISHED[path] ?? path;
const PUBLISHED: Readonly<Record<string, string>> = {
  gitignore: ".gitignore",
  "_package.json": "package.json",
};

async function assertFree(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isDirectory()) throw new Error(`${folder} is a file; name another folder`);
  const inside = (await readdir(folder)).filter((name) => name !== ".git");
  if (inside.length === 0) return;
  throw new Error(`${folder} is not empty (${inside.slice(0, 3).join(", ")} …); name another folder`);
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !/[\\/](?:node_modules|dist)[\\/]/.test(path.slice(folder.length - 1)));
}

async function publishedVersions(): Promise<Record<string, string>> {
  return JSON.parse(await readFile(new URL("./versions.json", import.meta.url), "utf8")) as Record<
    string,
    string
  >;
}

function withVersions(text: string, ranges: Readonly<Record<string, string>>): string {
  const manifest = JSON.parse(text) as Record<string, Record<string, string>>;
  for (const field of ["dependencies", "devDependencies"]) {
    for (const name of Object.keys(manifest[field] ?? {})) {
      const range = ranges[name];
      if (range === undefined) throw new Error(`no version is known for ${name}`);
      (manifest[field] ?? {})[name] = range;
    }
  }
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
