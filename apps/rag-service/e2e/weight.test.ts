import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { beforeAll, expect, test } from "vitest";

import { buildPage, pageFolder } from "./built-page.ts";

beforeAll(async () => await buildPage(), 60_000);

test("the first load of the Ask page is at most 150 KB of gzipped script", async () => {
  const html = await readFile(join(pageFolder, "index.html"), "utf8");
  const scripts = new Set(
    [...html.matchAll(/(?:src|href)="(\/[^"]+\.js)"/g)].flatMap(([, path]) =>
      path === undefined ? [] : [path],
    ),
  );
  // What a script imports at once belongs to the first load; what it imports on demand does not.
  for (const path of scripts) {
    const code = await readFile(join(pageFolder, path), "utf8");
    for (const [, imported] of code.matchAll(
      /(?:^|[;}\n])(?:import|export)[^;(]*?from\s*"\.\/([^"]+\.js)"/g,
    )) {
      if (imported !== undefined) scripts.add(`/assets/${imported}`);
    }
  }
  const sizes = await Promise.all(
    [...scripts].map(async (path) => gzipSync(await readFile(join(pageFolder, path))).length),
  );
  const sum = sizes.reduce((total, size) => total + size, 0);
  expect(sum).toBeGreaterThan(30_000); // Something was measured.
  expect(sum).toBeLessThan(150_000);
});

test("the page keeps to its policy: no inline script or style, nothing from elsewhere", async () => {
  const html = await readFile(join(pageFolder, "index.html"), "utf8");
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)/);
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=/);
  expect(html).not.toMatch(/(?:src|href)="(?!\/)/);
});
