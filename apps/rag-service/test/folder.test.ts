import { mkdir, writeFile } from "node:fs/promises";
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

async function take(root: string, options: FolderOptions = {}) {
  const submit = async () => ({ documentId: "doc", jobId: "job", status: "queued" }) as const;
  const { submitted, skipped } = await addFolder(root, options, { submit, maxBytes: 1_000 });
  return { taken: submitted.map(({ path }) => path), skipped };
}

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
