import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build, type BuildResult } from "esbuild";
import { type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const core = fileURLToPath(new URL("../..", import.meta.url));

const bundle = async (entry: string): Promise<BuildResult<{ write: false; metafile: true }>> =>
  build({
    absWorkingDir: core,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    // Whatever belongs to Node fails the build: nothing stands in for it.
    platform: "browser",
    minify: true,
  });

test("the main entry needs nothing of Node and no other package", async () => {
  const { metafile, outputFiles } = await bundle("src/index.ts");
  const imported = Object.values(metafile.inputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  expect(imported.length).toBeGreaterThan(5);
  expect(imported.filter((path) => !path.startsWith("src/"))).toEqual([]);
  const [file] = outputFiles;
  expect(file?.text).not.toMatch(/["']node:|\brequire\(|\bprocess\.|\bBuffer\b/);
  const size = gzipSync(file?.contents ?? "").length;
  process.stdout.write(`llm-core, main entry: ${file?.contents.length} bytes minified, ${size} with gzip\n`);
});

const executable = [process.env["CHROMIUM_PATH"], "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && path !== "" && existsSync(path),
);

// Without a browser this is skipped on a developer's machine; in CI its absence is a failure.
describe.skipIf(executable === undefined && process.env["CI"] === undefined)(
  "in a browser (CHROMIUM_PATH, or chromium where Debian puts it)",
  () => {
    let profile: string;
    let server: Server;
    let context: BrowserContext;

    beforeAll(async () => {
      if (executable === undefined) throw new Error("no browser: install chromium or set CHROMIUM_PATH");
      const { outputFiles } = await bundle(fileURLToPath(new URL("./page.ts", import.meta.url)));
      server = createServer((request, response) => {
        const isScript = request.url === "/page.js";
        response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
        response.end(isScript ? outputFiles[0]?.text : `<script type="module" src="/page.js"></script>`);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      profile = await mkdtemp(join(tmpdir(), "browser-"));
      context = await chromium.launchPersistentContext(profile, {
        executablePath: executable,
        headless: true,
        args: [
          "--headless",
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
        ],
      });
    }, 60_000);

    afterAll(async () => {
      await context?.close();
      server?.close();
      if (profile !== undefined) await rm(profile, { recursive: true, force: true, maxRetries: 3 });
    });

    test("a registry with a registered plugin streams an answer", async () => {
      const address = server.address();
      const port = typeof address === "object" ? address?.port : undefined;
      const tab = await context.newPage();
      const faults: string[] = [];
      tab.on("pageerror", (error) => faults.push(error.message));
      await tab.goto(`http://127.0.0.1:${port}/`);
      await tab.waitForFunction("globalThis.answer !== undefined");
      expect(await tab.evaluate("globalThis.answer()")).toEqual({
        types: ["start", "text-start", "text-delta", "text-delta", "text-delta", "text-end", "finish"],
        text: 'you said "hello"',
        code: "invalid-request",
      });
      expect(faults).toEqual([]);
    }, 60_000);
  },
);
