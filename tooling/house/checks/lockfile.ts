// Native programs come as one optional package for each platform. A registry that lacks some of them makes pnpm leave
// them out of the lockfile in silence, and whoever works on that platform gets a broken tool. So the lockfile is held to
// each package's own list: that of the installed manifests in every test run, and the registry's own when it is asked to
// (`pnpm check:lockfile`).
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { parse, parseAllDocuments } from "yaml";

import { read, root } from "./house.ts";

/** `esbuild@0.28.2` and the optional packages that its publisher lists. */
export type OptionalLists = ReadonlyMap<string, readonly string[]>;

/** The optional packages that the lockfile has, for each locked package. Peers in the key are left out. */
export function lockedOptionals(lockfile: string): OptionalLists {
  const lists = new Map<string, readonly string[]>();
  for (const document of parseAllDocuments(lockfile)) {
    const { snapshots = {} } = document.toJS() as { snapshots?: Record<string, Snapshot> };
    for (const [key, snapshot] of Object.entries(snapshots)) {
      lists.set(
        key.replace(/\(.*$/, ""),
        Object.keys({ ...snapshot.dependencies, ...snapshot.optionalDependencies }),
      );
    }
  }
  return lists;
}

/** What the lockfile lacks of the publishers' lists, in sentences. `ignored` are patterns of the workspace's settings. */
export function missingOptionals(
  locked: OptionalLists,
  published: OptionalLists,
  ignored: readonly string[],
): readonly string[] {
  const isIgnored = (name: string): boolean => ignored.some((pattern) => matches(pattern, name));
  return [...published].flatMap(([key, names]) => {
    const has = locked.get(key);
    if (has === undefined) return [];
    const lacking = names.filter((name) => !has.includes(name) && !isIgnored(name));
    return lacking.length === 0 ? [] : [`the lockfile's ${key} lacks ${lacking.join(", ")}`];
  });
}

/** The lists in the manifests of what is installed here, for the packages that have one. */
export function installedOptionals(): OptionalLists {
  const store = join(root, "node_modules", ".pnpm");
  const manifests = globSync(["*/node_modules/*/package.json", "*/node_modules/@*/*/package.json"], {
    cwd: store,
  });
  const lists = new Map<string, readonly string[]>();
  for (const file of manifests) {
    const {
      name,
      version,
      optionalDependencies = {},
    } = JSON.parse(readFileSync(join(store, file), "utf8")) as Installed;
    const optionals = Object.keys(optionalDependencies);
    if (optionals.length > 0) lists.set(`${name}@${version}`, optionals);
  }
  return lists;
}

/** The patterns of optional packages that nobody here wants. */
export function ignoredOptionals(): readonly string[] {
  const settings = parse(read("pnpm-workspace.yaml")) as { ignoredOptionalDependencies?: string[] };
  return settings.ignoredOptionalDependencies ?? [];
}

interface Snapshot {
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

interface Installed {
  readonly name: string;
  readonly version: string;
  readonly optionalDependencies?: Record<string, string>;
}

function matches(pattern: string, name: string): boolean {
  const [start = "", ...rest] = pattern.split("*");
  return rest.length === 0 ? pattern === name : name.startsWith(start) && name.endsWith(rest.at(-1) ?? "");
}

function askRegistry(key: string): readonly string[] {
  const args = ["view", key, "optionalDependencies", "--json"];
  const answer = execFileSync("pnpm", args, { cwd: root, encoding: "utf8" }).trim();
  return Object.keys(answer === "" ? {} : (JSON.parse(answer) as Record<string, string>));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const installed = installedOptionals();
  const published = new Map([...installed.keys()].map((key) => [key, askRegistry(key)]));
  const locked = lockedOptionals(read("pnpm-lock.yaml"));
  const ignored = ignoredOptionals();
  const problems = [
    ...missingOptionals(locked, installed, ignored),
    ...missingOptionals(locked, published, ignored),
  ];
  for (const problem of problems) console.error(problem);
  for (const [key, names] of published) console.log(`${key}: ${names.length} optional packages published`);
  if (problems.length > 0) process.exitCode = 1;
}
