/**
 * Takes the pictures of docs/screenshots anew, of the real service with the bundled model:
 * `node --conditions=@enginehouse/source e2e/screenshots.ts`. Look at every one before it is committed.
 */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Page } from "playwright-core";

import { launch } from "./browser.ts";
import { type RealService, startService } from "./service.ts";

const folder = fileURLToPath(new URL("../../../docs/screenshots", import.meta.url));
const LARGEST = 300_000;

interface Variant {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly dark: boolean;
  /** The pages beside Ask, too. */
  readonly all: boolean;
}

const variants: readonly Variant[] = [
  { name: "1280-light", width: 1280, height: 800, dark: false, all: true },
  { name: "1280-dark", width: 1280, height: 800, dark: true, all: true },
  { name: "390-light", width: 390, height: 844, dark: false, all: false },
  { name: "390-dark", width: 390, height: 844, dark: true, all: true },
];

await mkdir(folder, { recursive: true });
for (const variant of variants) {
  const service = await startService();
  const browser = await launch(variant);
  try {
    await takeAll(await browser.open(service.url), service, variant);
  } finally {
    await Promise.all([browser.close(), service.close()]);
  }
}

async function takeAll(page: Page, service: RealService, { name, all }: Variant): Promise<void> {
  const { url } = service;
  async function shoot(what: string): Promise<void> {
    await page.mouse.move(0, 0);
    await page.waitForTimeout(250);
    const path = join(folder, `${what}-${name}.png`);
    await page.screenshot({ path });
    const { size } = await stat(path);
    if (size > LARGEST) throw new Error(`${path} has ${size} bytes, more than ${LARGEST}.`);
  }
  async function ask(question: string): Promise<void> {
    await page.goto(url);
    await page.locator("#question").fill(question);
    await page.keyboard.press("Enter");
  }
  /** Lets the engine go on in small steps until there are some words, and holds it there; not every try succeeds. */
  async function askAndHold(question: string): Promise<void> {
    for (;;) {
      await ask(question);
      await page.locator(".quote").first().waitFor();
      for (
        let words = "";
        words.length < 16;
        words = (await page.locator(".answer-body").allTextContents()).join("")
      ) {
        service.signalEngine("SIGCONT");
        await page.waitForTimeout(4);
        service.signalEngine("SIGSTOP");
      }
      await page.waitForTimeout(200);
      if (await page.getByRole("button", { name: "Stop" }).isVisible()) return;
      service.signalEngine("SIGCONT");
    }
  }
  const finished = () => page.getByRole("button", { name: "Try again" }).waitFor();

  await page.getByText("There are no documents yet").waitFor();
  await page.locator("#question").blur();
  await shoot("empty");

  await page.getByRole("button", { name: /Or begin with/ }).click();
  await page.locator("tr[data-status=ready]").nth(3).waitFor();
  await ask("How much honey did the hives give?");
  await finished();
  await ask("Why is swimming forbidden in the basin?");
  await finished();
  await page.goto(url);
  await page.locator(".start-questions li").nth(3).waitFor();
  await page.locator("#question").blur();
  await shoot("ask");

  await askAndHold("Who surveyed the line?");
  await shoot("asking");
  service.signalEngine("SIGCONT");
  await finished();

  await askAndHold("Who surveyed the line?");
  service.signalEngine("SIGKILL");
  await page.locator(".answer .trouble").waitFor();
  await shoot("error");

  // Once before, so that the figures are those of an engine that is there, not of one that just began.
  await ask("How many names are on the waiting list?");
  await finished();
  await ask("Why did trains cross the viaduct at walking pace?");
  await finished();
  const answer = await page.locator(".answer-body").textContent();
  if (answer?.includes("could not carry heavy engines") !== true)
    throw new Error(
      `The demonstration model now says "${answer}": choose a question that it answers rightly.`,
    );
  await page.locator(".answer-body .chip").first().click();
  await page.locator(".source-panel mark").waitFor();
  await shoot("answered");

  if (all) {
    await page.getByRole("link", { name: "Open in the document" }).click();
    await page.locator(".document-text mark").waitFor();
    await shoot("document");
    await page.goto(`${url}/models`);
    await page.getByRole("heading", { name: "Providers" }).waitFor();
    await page.locator(".installed").waitFor();
    await page.locator(".folder code").nth(1).waitFor();
    await page.locator(".folder code").evaluateAll((codes) => {
      for (const code of codes)
        code.textContent = `~/.local/share/enginehouse/${code.textContent.split("/").at(-1)}`;
    });
    await shoot("models");
    await page.goto(`${url}/library`);
    await page.locator("tr[data-status=ready]").nth(3).waitFor();
    await page.locator("input[type=file]").setInputFiles([
      {
        name: "scanned-letter.pdf",
        mimeType: "application/pdf",
        buffer: Buffer.from("%PDF-1.7 and then nothing"),
      },
      { name: "tide-register-1871-2024.txt", mimeType: "text/plain", buffer: Buffer.from(tides()) },
    ]);
    await page.locator(".trouble").waitFor();
    await page.getByText(/passage [1-9][\d,]* of/).waitFor();
    await shoot("library");
  }
}

/** Long enough for its progress to be seen. */
function tides(): string {
  const days = Array.from({ length: 9_000 }, (_, day) => {
    const hour = (day * 7) % 12;
    return `On day ${day + 1} high water came at ${hour}:${String((day * 13) % 60).padStart(2, "0")} and stood at ${(3 + ((day * 17) % 90) / 100).toFixed(2)} metres above the sill.`;
  });
  return days.join("\n\n");
}
