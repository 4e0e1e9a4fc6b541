import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type BrowserContext, chromium, type Page } from "playwright-core";

const browserPath = [process.env["CHROMIUM_PATH"], "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && path !== "" && existsSync(path),
);

/** On a developer's machine without a browser these tests are skipped; in CI its absence is a failure. */
export const noBrowser = browserPath === undefined && process.env["CI"] === undefined;

export interface Browser {
  readonly context: BrowserContext;
  /** A page that notes what must not happen: console errors, uncaught faults, requests to elsewhere. */
  open(url: string): Promise<Page>;
  /** What was noted since the browser began. */
  faults(): readonly string[];
  /** Takes back what a test provoked. */
  forgive(pattern: RegExp): void;
  close(): Promise<void>;
}

export interface BrowserOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  readonly scale?: number;
}

export async function launch({
  width = 1280,
  height = 800,
  dark = false,
  scale = 1,
}: BrowserOptions = {}): Promise<Browser> {
  const userData = await mkdtemp(join(tmpdir(), "enginehouse-browser-"));
  const context = await chromium.launchPersistentContext(userData, {
    ...(browserPath === undefined ? {} : { executablePath: browserPath }),
    headless: true,
    viewport: { width, height },
    deviceScaleFactor: scale,
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
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
  // Less than a test has, so that a failure names what was waited for; long enough for a machine with much else to do.
  context.setDefaultTimeout(45_000);
  let faults: string[] = [];
  return {
    context,
    faults: () => faults,
    forgive(pattern) {
      faults = faults.filter((fault) => !pattern.test(fault));
    },
    async open(url) {
      const page = await context.newPage();
      const { origin } = new URL(url);
      page.on("pageerror", (error) => faults.push(`uncaught: ${error.message}`));
      page.on("console", (message) => {
        // The browser itself writes a line for each reply of 400 and above; whether that was meant, the tests know.
        const expected = message
          .text()
          .startsWith("Failed to load resource: the server responded with a status of");
        if (message.type() === "error" && !expected) faults.push(`console: ${message.text()}`);
      });
      page.on("request", (request) => {
        if (!request.url().startsWith(`${origin}/`)) faults.push(`request: ${request.url()}`);
      });
      await page.goto(url);
      return page;
    },
    async close() {
      await context.close();
      await rm(userData, { recursive: true, force: true });
    },
  };
}
