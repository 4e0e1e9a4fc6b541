import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { addFolder } from "../src/ingest/folder.ts";
import type { FolderOptions } from "../src/ingest/ingest.ts";
import { emptyFolder } from "./library.ts";

async function folderOf(...paths: string[]): Promise<string> {
  const root = await emptyFolder();
  for (const path of paths) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), "Text.");
  }
  return root;
}

/** Takes all there is; `when` runs while the first file is taken, after the folder around it was listed. */
async function take(root: string, options: FolderOptions = {}, when = async () => {}) {
  let first = true;
  const submit = async () => {
    if (first) await when();
    first = false;
    return { documentId: "doc", jobId: "job", status: "queued" } as const;
  };
  const { submitted, skipped } = await addFolder(root, options, { submit, maxBytes: 1_000 });
  return { taken: submitted.map(({ path }) => path), skipped };
}

test("a folder and a file that cannot be read are told, and all else is taken", async () => {
  const root = await folderOf("a.txt", "b/one.txt", "c.txt", "d/two.txt");
  // What vanishes between listing and reading can be had by root, too; a folder without rights fails at the same call.
  const { taken, skipped } = await take(root, {}, async () => {
    await rm(join(root, "b"), { recursive: true });
    await rm(join(root, "c.txt"));
  });
  expect(taken).toEqual(["a.txt", "d/two.txt"]);
  expect(skipped).toEqual([
    { path: "b", reason: "the folder is not there any more" },
    { path: "c.txt", reason: "the file is not there any more" },
  ]);
});

test("a folder without rights is told, and all else is taken", async ({ skip }) => {
  skip(process.platform === "win32" || process.getuid?.() === 0, "root reads what it has no right to");
  const root = await folderOf("a.txt", "b/one.txt", "c/two.txt");
  await chmod(join(root, "b"), 0o000);
  expect(await take(root)).toEqual({
    taken: ["a.txt", "c/two.txt"],
    skipped: [{ path: "b", reason: "there is no right to read the folder" }],
  });
});

test("a folder that is left out by its name need not be readable", async () => {
  const root = await folderOf("a.txt", "b/one.txt");
  const { skipped } = await take(root, { exclude: ["b"] }, () => rm(join(root, "b"), { recursive: true }));
  expect(skipped).toEqual([]);
});

test("a pattern that would keep a regular expression busy takes what it fits", async () => {
  const root = await folderOf(`${"a".repeat(60)}.txt`, "b.txt");
  const evil = `${"*a".repeat(16)}*b`;
  expect(await take(root, { include: [evil] })).toEqual({ taken: [], skipped: [] });
  expect((await take(root, { exclude: [evil, "a*"] })).taken).toEqual(["b.txt"]);
});

test("a long folder of which nothing is wanted does not hold up what else runs", async () => {
  const root = await folderOf(...Array.from({ length: 100 }, (_none, at) => `${at}.txt`));
  let turns = 0;
  let next = setImmediate(function turn() {
    turns += 1;
    next = setImmediate(turn);
  });
  await take(root, { include: ["*.md"] });
  clearImmediate(next);
  expect(turns).toBeGreaterThanOrEqual(100);
});
