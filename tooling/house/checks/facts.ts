import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { filesBelow, isThere, members, read, readManifest, root } from "./house.ts";
import type { Member } from "./house.ts";
import { exportsOf } from "./imports.ts";
import type { Facts } from "./prose.ts";

/** The checkout as it is now. */
export function gatherFacts(): Facts {
  const files = filesBelow("");
  const everyone = members("packages", "apps", "tooling");
  const scripts = new Map([["", namesIn(readManifest("package.json").scripts)]]);
  for (const { manifest } of everyone) scripts.set(manifest.name, namesIn(manifest.scripts));
  return {
    paths: new Set([...files, ...files.flatMap(foldersOf)]),
    words: wordsOf(files),
    scripts,
    programs: programsIn("node_modules/.bin"),
    exports: new Map(everyone.flatMap(entriesOf)),
    markdown: (path) => (isThere(path) ? read(path) : undefined),
  };
}

const template = "packages/create-llm-provider/template/";

/** What speaks to somebody in a package of their own is held to the scaffold: its files and scripts count as theirs. */
export function factsFor(path: string, facts: Facts): Facts {
  if (path !== "docs/writing-a-provider.md" && !path.startsWith(template)) return facts;
  const inside = [...facts.paths].filter((one) => one.startsWith(template));
  return {
    ...facts,
    paths: new Set([...facts.paths, ...inside.map((one) => one.slice(template.length))]),
    scripts: new Map([...facts.scripts, ["", namesIn(readManifest(`${template}_package.json`).scripts)]]),
  };
}

/** The house's own Markdown: no changelog, no recorded fixture, no licence text. */
export function markdownFiles(): readonly string[] {
  return filesBelow("").filter(
    (path) => path.endsWith(".md") && !/CHANGELOG|\/(fixtures|documents|examples|models)\//.test(path),
  );
}

function namesIn(scripts: Readonly<Record<string, string>> | undefined): ReadonlySet<string> {
  return new Set(Object.keys(scripts ?? {}));
}

function programsIn(folder: string): ReadonlySet<string> {
  const path = join(root, folder);
  return new Set(existsSync(path) ? readdirSync(path) : []);
}

function foldersOf(path: string): readonly string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** Markdown cannot vouch for itself: the words are those of sources and settings, and of file names. */
function wordsOf(files: readonly string[]): ReadonlySet<string> {
  const words = new Set<string>();
  for (const path of files) {
    for (const part of path.split("/")) words.add(part.replace(/\..*$/, ""));
    const isCode = /\.([mc]?[jt]sx?|json|ya?ml|toml|py|css|html)$|\.ci\/run$/.test(path);
    if (!isCode || path === "pnpm-lock.yaml" || /\/fixtures\/|^tooling\/house\/test\//.test(path)) continue;
    for (const [word] of read(path).matchAll(/[A-Za-z_$][\w$]*(?:-[a-z0-9]+)*/g)) {
      words.add(word);
      for (const part of word.split("-")) words.add(part);
    }
  }
  return words;
}

/** The specifiers of a package's entries, each with the names that its source exports. */
function entriesOf({ folder, manifest }: Member): readonly (readonly [string, ReadonlySet<string>])[] {
  return Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
    const source = sourceOf(target);
    if (source === undefined || !isThere(`${folder}/${source}`)) return [];
    const at = `${folder}/${source}`;
    const names = exportsOf(read(at), (specifier) => {
      const next = `${at.slice(0, at.lastIndexOf("/"))}/${specifier}`.replace("/./", "/");
      return isThere(next) ? read(next) : undefined;
    });
    const all = /\bexport default\b/.test(read(at)) ? new Set([...names, "default"]) : names;
    return [[`${manifest.name}${subpath.slice(1)}`, all] as const];
  });
}

/** The sources of a package; the declarations of a preset, which is written in JavaScript. */
function sourceOf(target: unknown): string | undefined {
  if (typeof target !== "object" || target === null) return undefined;
  const { "@enginehouse/source": source, types } = target as Readonly<Record<string, unknown>>;
  const found = source ?? types;
  return typeof found === "string" ? found.replace("./", "") : undefined;
}
