// A change of a published package that a user can meet wants a changeset: a sentence for the changelog, and the kind of
// release. What no user can meet gets an empty one (`pnpm changeset --empty`), so that it is said and not forgotten.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The packages whose sources are among the changed files while none of the changed changesets names them. */
export function withoutChangeset(files, read) {
  const changed = new Set(
    files
      .flatMap((file) => /^(?:packages|apps)\/([^/]+)\/src\//.exec(file)?.slice(1) ?? [])
      .flatMap(publishedName),
  );
  const notes = files.filter((file) => /^\.changeset\/[^/]+\.md$/.test(file));
  const headers = notes.map((file) => /^---\n(.*?)---\n/s.exec(read(file))?.[1]?.trim());
  if (headers.includes("")) return [];
  const named = (name) => headers.some((header) => header?.match(/@enginehouse\/[\w-]+/g)?.includes(name));
  return [...changed].filter((name) => !named(`@enginehouse/${name}`));
}

/** A package's folder is its name; of the apps only the kit is published. */
function publishedName(folder) {
  if (folder === "conformance") return ["llm-conformance"];
  return folder === "rag-service" ? [] : [folder];
}

/** What differs from the point where the branch left main: committed, staged, or only on disk. */
function changedFiles(base) {
  const tracked = git("diff", "--name-only", "--diff-filter=d", base);
  const untracked = git("ls-files", "--others", "--exclude-standard");
  return `${tracked}\n${untracked}`.split("\n").filter(Boolean);
}

function mergeBase() {
  for (const branch of [process.env.CHANGESET_BASE, "origin/main", "main"]) {
    if (branch === undefined || branch === "") continue;
    try {
      return git("merge-base", branch, "HEAD").trim();
    } catch {
      // No such branch here, or no commit in common: the next may do.
    }
  }
  return undefined;
}

function git(...args) {
  return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const base = mergeBase();
  if (base === undefined) {
    console.log("no main to compare with (a tarball, or the first commit): nothing to check");
  } else {
    const missing = withoutChangeset(changedFiles(base), (file) => readFileSync(join(root, file), "utf8"));
    for (const name of missing)
      console.error(
        `the sources of @enginehouse/${name} changed, and no changeset names @enginehouse/${name}`,
      );
    if (missing.length > 0) process.exitCode = 1;
  }
}
