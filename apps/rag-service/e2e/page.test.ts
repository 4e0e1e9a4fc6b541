/// <reference lib="dom" />
import { randomInt } from "node:crypto";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Run, RunList } from "../src/api/schemas.ts";
import { type Browser, launch, noBrowser } from "./browser.ts";
import { type RealService, startService } from "./service.ts";

// Names and figures that no model can have read anywhere.
const keeper = `Ottilie Br${randomInt(1000, 9999)}ndt`;
const steps = randomInt(1_000, 9_999);
const fact = `The keeper of the Farrow lighthouse is ${keeper}.`;
const other = `The stairs of the tower have ${steps} steps of grey stone.`;
const present = `Of the present day there is more to tell. ${fact} ${other} Every morning the lamp is wiped with a dry cloth.`;
const chronicle = [
  "Chronicle of the Farrow lighthouse",
  ...Array.from(
    { length: 30 },
    (_, n) => `In year ${1700 + n} the coast saw ${n + 3} storms and little else.`,
  ),
  present,
  ...Array.from(
    { length: 30 },
    (_, n) => `In year ${1800 + n} the harbour counted ${n + 40} ships at anchor.`,
  ),
].join("\n\n");

describe.skipIf(noBrowser)("the page, over the real service with the bundled model", () => {
  let service: RealService;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    [service, browser] = await Promise.all([startService(), launch()]);
    page = await browser.open(service.url);
  }, 120_000);
  afterAll(async () => {
    await Promise.all([browser?.close(), service?.close()]);
  });

  test("a first start leads to the library, where a document is added and read", async () => {
    await page.getByRole("link", { name: "Add documents" }).click();
    await page.getByRole("heading", { name: "Library" }).waitFor();
    await page.getByText("Begin with an example").waitFor();
    await addFile(page, "chronicle.txt", chronicle);
    await page.locator("tr[data-status=ready]").waitFor();
    expect(await page.locator(".rail-count").textContent()).toBe("1");
  });

  test("a question is answered with a quote that is marked at its place in the document", async () => {
    await ask(page, service.url, "Who is the keeper of the Farrow lighthouse?");
    await page.locator(".quote").first().waitFor();
    expect(await page.locator(".quote .quote-text").first().textContent()).toBe(fact);
    const mark = page.locator(".source-panel mark");
    expect(await mark.textContent()).toBe(fact);
    await page.locator(".passage p").nth(3).waitFor(); // The quote comes first, what is around it a moment later.
    const [frame, place] = await Promise.all([page.locator(".passage").boundingBox(), mark.boundingBox()]);
    const middle = (place?.y ?? 0) + (place?.height ?? 0) / 2;
    expect(Math.abs(middle - ((frame?.y ?? 0) + (frame?.height ?? 0) / 2))).toBeLessThan(120);
    await finished(page);
    expect(page.url()).toMatch(/\/ask\/run_/);
  });

  test("who answered, that it is a demonstration, and how fast, are shown", async () => {
    await page
      .getByText("Demonstration model: knows nothing, shows how answers with sources work.")
      .waitFor();
    const line = await page.locator(".figures-line button").textContent();
    expect(line).toMatch(
      /llamacpp\/reference-model.*first token .*[\d.]+ tokens\/s.*tokens in.*context used/,
    );
    await page.locator(".figures-line button").click();
    await page.getByRole("heading", { name: "Attempts" }).waitFor();
    expect(await page.locator(".prompt").last().textContent()).toContain("keeper");
  });

  test("the document opens at the passage, and back leads to the same answer", async () => {
    await page.getByRole("link", { name: "Open in the document" }).click();
    const mark = page.locator(".document-text mark");
    await mark.waitFor();
    expect(await mark.textContent()).toBe(fact);
    const box = await mark.boundingBox();
    expect(box?.y).toBeGreaterThan(100);
    expect(box?.y).toBeLessThan(700);
    await page.goBack();
    await page.locator(".quote[aria-pressed=true]").waitFor();
  });

  test("a reload brings everything back", async () => {
    await page.reload();
    await page.locator(".quote[aria-pressed=true]").waitFor();
    expect(await page.locator("#question").inputValue()).toBe("Who is the keeper of the Farrow lighthouse?");
    await page.locator(".source-panel mark").waitFor();
  });

  test("Escape closes the source also beside the answer, and back goes through questions to the empty page", async () => {
    await page.goto(service.url);
    await page.locator("#question").fill("Who is the keeper of the Farrow lighthouse?");
    await page.locator("#question").press("Enter");
    await finished(page);
    await page.locator(".source-panel mark").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".source-panel mark").waitFor({ state: "detached" });
    await page.goBack();
    await page.waitForURL((url) => url.pathname === "/");
    expect(await page.locator(".quote").count()).toBe(0);
  });

  test("quotes alone need no model and say so", async () => {
    await page.locator(".answering select").selectOption({ label: "Quotes only, no model" });
    await ask(page, service.url, "How many steps do the stairs of the tower have?");
    await page.getByText("no model wrote this").waitFor();
    await finished(page);
    expect(await page.locator(".quote .quote-text").first().textContent()).toBe(other);
    await page.locator(".answering select").selectOption("");
  });

  test("files that cannot be read are refused beside their names, and nothing else is lost", async () => {
    await page.goto(`${service.url}/library`);
    await addFile(page, "empty.txt", "");
    await addFile(page, "broken.pdf", "%PDF-1.7 and then nothing");
    await addFile(page, "picture.png", Buffer.from("89504e470d0a1a0a0000000d4948445200000001", "hex"));
    await page.waitForFunction(() => document.querySelectorAll(".trouble").length === 3);
    for (const text of await page.locator(".trouble").allTextContents())
      expect(text.length).toBeGreaterThan(40);
    await page.locator("tr[data-status=ready]").waitFor();
  });

  test("a document is deleted after one question, and its address says so", async () => {
    await addFile(page, "second.txt", "The second document is about a lamp that nobody lights.");
    const row = page.locator("tr[data-status=ready]", { hasText: "second" });
    const address = await row.getByRole("link").getAttribute("href");
    await row.getByRole("button", { name: /Delete/ }).click();
    await row.getByRole("button", { name: "Delete", exact: true }).click();
    await row.waitFor({ state: "detached" });
    await page.goto(service.url + address);
    expect(await page.locator(".trouble").getAttribute("data-code")).toBe("document-not-found");
  });

  test("no console error, no request to elsewhere, no complaint of the service", () => {
    expect(browser.faults()).toEqual([]);
    expect(service.complaints()).toBe("");
  });
});

describe.skipIf(noBrowser)(
  "the page, over the real service with a model whose words are known",
  { timeout: 60_000 },
  () => {
    let service: RealService;
    let browser: Browser;
    let page: Page;
    const invention = "It was painted blue by a travelling circus in spring.";

    beforeAll(async () => {
      const scripted = {
        scripted: [
          { when: "keeper", say: `${fact} ${invention}` },
          { when: "endless", say: "The tide goes out and comes in again. ", forever: true },
          { say: other },
        ],
      };
      [service, browser] = await Promise.all([startService(scripted), launch()]);
      page = await browser.open(`${service.url}/library`);
      await addFile(page, "chronicle.txt", present);
      await page.locator("tr[data-status=ready]").waitFor();
    }, 120_000);
    afterAll(async () => {
      await Promise.all([browser?.close(), service?.close()]);
    });

    test("an answer streams in, and its citation leads to the very sentence", async () => {
      await ask(page, service.url, "Who is the keeper?");
      await finished(page);
      expect(await page.locator(".answer-body").textContent()).toContain(fact.slice(0, -1));
      await page.locator(".answer-body .chip").first().click();
      const mark = page.locator(".source-panel mark");
      await mark.waitFor();
      expect(await mark.textContent()).toBe(fact);
      expect(await page.locator(".answer-body .chip").first().getAttribute("aria-pressed")).toBe("true");
    });

    test("a sentence that the documents do not support has no citation and looks so", async () => {
      expect(await page.locator(".answer-body .unsupported").textContent()).toContain("travelling circus");
      await page.getByText("1 of 2 sentences found in your documents").waitFor();
      await page.getByText(": not found in your documents.").waitFor();
    });

    test("pointing at a citation shows its quote", async () => {
      await page.mouse.move(5, 5);
      await page.locator(".answer-body .chip").first().hover();
      expect(await page.getByRole("tooltip").textContent()).toContain(fact);
      await page.mouse.move(5, 5);
    });

    test("Stop ends the answer and keeps what had come", async () => {
      await ask(page, service.url, "Tell me the endless tale");
      await page.locator(".answer-body").getByText("The tide goes out").first().waitFor();
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByText("Stopped here.").waitFor();
      expect(await page.locator(".answer-body").textContent()).toContain("The tide goes out");
    });

    test("Escape stops as well", async () => {
      await ask(page, service.url, "Tell me the endless tale");
      await page.locator(".answer-body").getByText("The tide goes out").first().waitFor();
      await page.keyboard.press("Escape");
      await page.getByText("Stopped here.").waitFor();
      expect((await latestRun(service)).status).toBe("cancelled");
    });

    // By the engine's own processor time: how soon a busy machine comes to close the page is not its doing.
    test("after the page is left the engine works for less than 250 ms more", async () => {
      const leaving = await browser.open(service.url);
      await ask(leaving, service.url, "Tell me the endless tale");
      await leaving.locator(".answer-body").getByText("The tide goes out").first().waitFor();
      const writing = service.engineTime();
      await pause(300);
      const left = service.engineTime();
      expect(left).toBeGreaterThan(writing);
      await leaving.close({ runBeforeUnload: false });
      const by = performance.now() + 10_000;
      while ((await latestRun(service)).status === "running" && performance.now() < by) await pause(20);
      expect((await latestRun(service)).status).toBe("cancelled");
      await pause(500);
      expect(service.engineTime() - left).toBeLessThan(250);
    });

    test("an answer that shall go on survives a reload", async () => {
      await page.getByLabel("Keep writing if I leave").check();
      await ask(page, service.url, "Tell me the endless tale");
      await page.locator(".answer-body").getByText("The tide goes out").first().waitFor();
      await page.reload();
      await page.locator(".answer-body").getByText("The tide goes out").first().waitFor();
      const length = (await page.locator(".answer-body").textContent())?.length ?? 0;
      await page.waitForFunction(
        (before) => (document.querySelector(".answer-body")?.textContent?.length ?? 0) > before,
        length,
      );
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByText("Stopped here.").waitFor();
      expect((await latestRun(service)).status).toBe("cancelled");
      await page.getByLabel("Keep writing if I leave").uncheck();
    });

    test("a model that is not there is said beside the question, and choosing another helps", async () => {
      await page.evaluate(() =>
        sessionStorage.setItem(
          "enginehouse.answering",
          JSON.stringify({ mode: "auto", model: "llamacpp/no-such-model" }),
        ),
      );
      await page.goto(service.url);
      await ask(page, service.url, "Who is the keeper?");
      await page.locator(".trouble").waitFor();
      expect(await page.locator(".trouble").textContent()).toContain("no-such-model");
      await page.locator(".answering select").selectOption("");
      await page.getByRole("button", { name: "Try again" }).click();
      await page.locator(".answer-body .chip").first().waitFor();
    });

    test("an engine that dies while it writes is said, and the next question is answered", async () => {
      await ask(page, service.url, "Tell me the endless tale");
      await page.locator(".answer-body").getByText("The tide goes out").first().waitFor();
      expect(service.signalEngine("SIGKILL")).toBeGreaterThan(0);
      const trouble = page.locator(".answer .trouble");
      await trouble.waitFor();
      expect(await trouble.getAttribute("data-code")).toBe("stream-interrupted");
      expect(await page.locator(".answer-body").textContent()).toContain("The tide goes out");
      await ask(page, service.url, "Who is the keeper?");
      await finished(page);
      expect(await page.locator(".answer-body").textContent()).toContain(keeper);
    });

    test("no console error, and no request to elsewhere", () => {
      expect(browser.faults()).toEqual([]);
    });
  },
);

async function ask(page: Page, url: string, question: string): Promise<void> {
  await page.goto(url);
  await page.locator("#question").fill(question);
  await page.keyboard.press("Enter");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function finished(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Try again" }).waitFor();
}

async function addFile(page: Page, name: string, content: string | Buffer): Promise<void> {
  const buffer = Buffer.from(content);
  await page
    .locator("input[type=file]")
    .setInputFiles([{ name, mimeType: "application/octet-stream", buffer }]);
}

async function latestRun({ url }: RealService): Promise<Run> {
  const response = await fetch(`${url}/api/v1/runs?limit=1`);
  const [run] = ((await response.json()) as RunList).runs;
  if (run === undefined) throw new Error("There is no run.");
  return run;
}
