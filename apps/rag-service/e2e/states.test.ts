/// <reference lib="dom" />
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type Browser, launch, noBrowser } from "./browser.ts";
import { buildPage, pageFolder } from "./built-page.ts";
import { type Double, firstState, newDocument, newJob, problem, startDouble } from "./double.ts";

describe.skipIf(noBrowser)("states that a real service comes into rarely", () => {
  let double: Double;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    await buildPage();
    [double, browser] = await Promise.all([startDouble(pageFolder), launch()]);
    page = await browser.open(double.url);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([browser?.close(), double?.close()]);
  });
  beforeEach(async () => {
    Object.assign(double.state, firstState());
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(double.url);
  });

  async function ask(question: string): Promise<void> {
    await page.locator("#question").fill(question);
    await page.keyboard.press("Enter");
  }
  const finished = () => page.getByRole("button", { name: "Try again" }).waitFor();

  test("quotes are there before the model's first word, and what is waited for is said", async () => {
    double.state.wordMs = 150;
    await ask("How often must the slewing ring be greased?");
    await page.locator(".quote").first().waitFor();
    expect(await page.locator(".answer-body").count()).toBe(0);
    await page.getByText("llamacpp/reference-chat is reading 868 tokens of passages").waitFor();
    double.state.wordMs = 1;
    await finished();
  });

  test("an answer that breaks off keeps what had come, and Try again asks anew", async () => {
    const broken = problem(502, "stream-interrupted", "The engine ended while it was writing.", "Try again.");
    double.state.breakAfter = { words: 6, problem: broken };
    await ask("How often must the slewing ring be greased?");
    await page.locator(".answer .trouble").waitFor();
    expect(await page.locator(".answer-body").textContent()).toContain("The slewing ring is greased every");
    double.state.breakAfter = undefined;
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".chip").first().waitFor();
  });

  test("a service that is gone is said beside the question", async () => {
    await page.route("**/api/v1/answer", (route) => route.abort());
    await ask("Is anybody there?");
    await page.getByText("Look whether the service is still running").waitFor();
    expect(await page.locator("#question").inputValue()).toBe("Is anybody there?");
    await page.unroute("**/api/v1/answer");
    browser.forgive(/net::ERR_FAILED/);
  });

  test("a long question steps back once it is asked, and is whole again for whoever edits it", async () => {
    double.state.wordMs = 1;
    await ask("Does the manual, or the lease, say who pays for the grease in salt air? ".repeat(12));
    await finished();
    const height = async () => (await page.locator("#question").boundingBox())?.height ?? 0;
    const asked = await height();
    expect(asked).toBeLessThan(120);
    expect(await page.locator("#question").evaluate((field) => field.scrollTop)).toBe(0);
    await page.locator("#question").focus();
    expect(await height()).toBeGreaterThan(asked);
  });

  test("a question that was asked again stands once among the earlier ones", async () => {
    double.state.wordMs = 1;
    for (const question of ["How often?", "At which wind speed?", "How often?"]) {
      await page.goto(double.url);
      await ask(question);
      await finished();
    }
    await expect
      .poll(() => page.locator(".rail-earlier a").allTextContents())
      .toEqual(["How often?", "At which wind speed?"]);
    expect(await page.locator(".rail-earlier a[aria-current]").count()).toBe(1);
  });

  test("a question is not cut off when the page changes its width", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.locator("#question").fill("How often must the slewing ring be greased?");
    await page.setViewportSize({ width: 1280, height: 800 });
    const hidden = () =>
      page.locator("#question").evaluate((field) => field.scrollHeight - field.clientHeight);
    await expect.poll(hidden).toBe(0);
    await page.setViewportSize({ width: 390, height: 844 });
    await expect.poll(hidden).toBe(0);
  });

  test("the text of an answer does not move while its sentences are checked", async () => {
    double.state.wordMs = 40;
    await page.setViewportSize({ width: 390, height: 844 });
    await ask("How often must the slewing ring be greased?");
    await page.locator(".answer-body").waitFor();
    const top = () =>
      page.locator(".answer-body").evaluate((body) => body.getBoundingClientRect().top + scrollY);
    const first = await top();
    await page.getByText("1 of 1 sentence found").waitFor();
    expect(await top()).toBe(first);
    await finished();
    expect(await top()).toBe(first);
  });

  test("no problem shows a code, and a place where nothing is offers no second try", async () => {
    await page.goto(`${double.url}/documents/nothing-here`);
    const trouble = page.locator(".trouble");
    await trouble.waitFor();
    expect(await trouble.getAttribute("data-code")).toBe("document-not-found");
    expect(await trouble.textContent()).toMatch(/^There is no document at this address/);
    expect(await trouble.textContent()).not.toContain("not-found");
    expect(await trouble.getByRole("button").count()).toBe(0);
  });

  test("the keys reach everything: ask, walk the sources, stop, read the keys", async () => {
    double.state.wordMs = 2;
    await page.locator("#question").blur();
    await page.keyboard.press("/");
    await page.keyboard.type("How often?");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("And in salt air?");
    expect(await page.locator("#question").inputValue()).toBe("How often?\nAnd in salt air?");
    await page.keyboard.press("Enter");
    await finished();
    const shown = () => page.locator(".source-walk p").textContent();
    expect(await shown()).toBe("Source 1 of 4");
    await page.keyboard.press("]");
    expect(await shown()).toBe("Source 2 of 4");
    expect(page.url()).toContain("source=c2");
    await page.keyboard.press("[");
    expect(await shown()).toBe("Source 1 of 4");
    expect(await page.locator(".chip[aria-pressed=true]").count()).toBe(1);
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    double.state.wordMs = 80;
    await page.keyboard.press("/");
    await page.keyboard.press("Enter");
    await page.locator(".answer-body").waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("Stopped here.").waitFor();
  });

  test("Tab goes through the page in reading order, and the focus is seen", async () => {
    await page.locator(".skip").focus();
    const names: string[] = [];
    for (let step = 0; step < 9; step++) {
      await page.keyboard.press("Tab");
      names.push(await page.evaluate(() => (document.activeElement?.textContent ?? "").trim().slice(0, 12)));
      const outline = await page.evaluate(() => {
        const { activeElement } = document;
        const field = activeElement?.closest(".question textarea") === activeElement;
        const seen = field ? activeElement?.closest(".question") : activeElement;
        const style = seen === null || seen === undefined ? undefined : getComputedStyle(seen);
        return field ? style?.boxShadow : style?.outlineStyle;
      });
      expect(outline).not.toBe("none");
    }
    const order = ["Ask", "Library", "Models"].map((name) =>
      names.findIndex((text) => text.startsWith(name)),
    );
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  test("five hundred documents can be sorted and filtered", async () => {
    const many = Array.from({ length: 500 }, (_, n) =>
      newDocument(`m${n}`, `minutes-${n}.md`, 1_000 * (500 - n)),
    );
    double.state.documents = [...double.state.documents, ...many];
    await page.goto(`${double.url}/library`);
    await page.getByText("502 documents.").waitFor();
    await page.getByRole("button", { name: "Size" }).click();
    expect(await page.locator("tbody tr").first().textContent()).toContain("minutes-499");
    const began = performance.now();
    await page.getByRole("searchbox").fill("minutes-25");
    await page.getByText("11 of 502").waitFor();
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(await page.locator("tbody tr").count()).toBe(11);
  });

  test("a text of a megabyte opens at its passage and stays quick", async () => {
    const paragraph =
      "The tide is measured at the gauge by the eastern pier, four times a day, in all weathers. ".repeat(6);
    const before = `${paragraph}\n\n`.repeat(1_200);
    const passage = "The highest water ever measured stood at 7.41 metres.";
    const text = `${before}${passage} ${paragraph}\n\n${`${paragraph}\n\n`.repeat(700)}`;
    expect(text.length).toBeGreaterThan(1_000_000);
    double.state.texts.set("lease", { text, pages: [] });
    const began = performance.now();
    await page.goto(
      `${double.url}/documents/lease?from=${before.length}&to=${before.length + passage.length}`,
    );
    await page.locator("mark").waitFor();
    expect(performance.now() - began).toBeLessThan(5_000);
    await page.waitForFunction(() => {
      const { top = -1, bottom = -1 } = document.querySelector("mark")?.getBoundingClientRect() ?? {};
      return top > 100 && bottom < innerHeight - 100;
    });
    const blocked = await page.evaluate(async () => {
      const start = performance.now();
      scrollTo(0, 0);
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      return performance.now() - start;
    });
    expect(blocked).toBeLessThan(1_000);
  });

  test("a page that is marked is reached from the list of pages", async () => {
    await page.goto(`${double.url}/documents/manual`);
    await page.getByLabel("Go to page").selectOption("4");
    const box = await page.locator("#page-4").boundingBox();
    expect(box?.y).toBeGreaterThanOrEqual(0);
    expect(box?.y).toBeLessThan(800);
  });

  test("a file dropped on any page is added to the library", async () => {
    await page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(["High water at noon."], "dropped.txt", { type: "text/plain" }));
      const target = document.body;
      for (const type of ["dragenter", "dragover"])
        target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true }));
      (globalThis as unknown as { drop: () => void }).drop = () =>
        target.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    });
    await page.getByText("Drop to add to the library").waitFor();
    await page.evaluate(() => (globalThis as unknown as { drop: () => void }).drop());
    await page.getByText("dropped", { exact: true }).waitFor();
    await page.getByText("Reading page 12 of 40").waitFor();
    expect(page.url()).toBe(`${double.url}/library`);
  });

  test("a theme that was chosen holds over a reload, from the first paint on", async () => {
    await page.getByRole("button", { name: /Theme/ }).click();
    await page.getByRole("button", { name: /Theme/ }).click();
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const dark = await background();
    await page.reload({ waitUntil: "commit" });
    await page.waitForFunction(() => document.readyState !== "loading");
    expect(await page.evaluate(() => document.documentElement.dataset["theme"])).toBe("dark");
    expect(await background()).toBe(dark);
    await page.getByRole("button", { name: /Theme/ }).click();
  });

  test("on a narrow screen nothing runs over the edge, and a source comes up from below", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await ask("How often must the slewing ring be greased?");
    await finished();
    await page.locator(".chip").first().click();
    const sheet = await page.locator(".source-panel").boundingBox();
    expect(sheet?.width).toBe(390);
    expect(sheet?.y).toBeGreaterThan(200);
    await page.locator(".source-panel mark").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".source-panel").waitFor({ state: "detached" });
    expect(await page.evaluate(() => document.activeElement?.className)).toContain("chip");
    for (const path of ["/", "/library", "/models", "/documents/manual?from=30&to=120"]) {
      await page.goto(double.url + path);
      await page.locator("h1").waitFor();
      const [width, bar] = await page.evaluate(() => {
        const rail = document.querySelector(".rail")?.getBoundingClientRect();
        return [document.documentElement.scrollWidth, rail?.bottom] as const;
      });
      expect([path, width, bar]).toEqual([path, 390, 844]);
    }
  });

  test("what a model writes runs nothing, loads nothing and hides no address", async () => {
    double.state.answer = [
      "Look ![here](https://elsewhere.example/pixel.png) and [click](https://elsewhere.example/page) or [run](javascript:alert(1)). ",
      '<img src="https://elsewhere.example/raw.png"><script>alert(1)</script> Done.',
    ];
    await ask("What is here?");
    await finished();
    const body = page.locator(".answer-body");
    expect(await body.locator("img, script, iframe").count()).toBe(0);
    expect(await body.locator("a").count()).toBe(1);
    expect(await body.locator("a").getAttribute("rel")).toContain("noopener");
    expect(await body.textContent()).toContain("https://elsewhere.example/page");
  });

  test("files that could not be read are counted apart from the documents", async () => {
    const broken = newDocument("broken", "broken.pdf", 12);
    const { versionId: _none, ...unread } = broken;
    const error = problem(422, "broken", "The file cannot be read.", "Add it anew.");
    double.state.documents = [...double.state.documents, { ...unread, status: "failed", error }];
    await page.goto(`${double.url}/library`);
    await page.getByText("2 documents, 1 failed.").waitFor();
    expect(await page.locator(".rail-count").textContent()).toBe("2");
    expect(await page.locator(".rail-count").getAttribute("title")).toBe("2 documents, 1 failed");
    await page.goto(double.url);
    await page.getByText("1 file could not be read").waitFor();
  });

  test("an index that could not be made is said with the reason, and tried again", async () => {
    const error = problem(
      503,
      "unavailable",
      "the engine ended (6 attempts in a row failed)",
      "Free memory.",
    );
    const job = newJob({ id: "job-index", kind: "index", title: "Index", stage: "embedding" });
    double.state.jobs = [{ ...job, unit: "chunks", status: "failed", done: 16, total: 40, error }];
    await page.goto(`${double.url}/library`);
    const trouble = page.locator(".trouble");
    await trouble.waitFor();
    expect(await trouble.textContent()).toContain("The search by meaning is not complete");
    expect(await trouble.textContent()).toContain("6 attempts in a row failed");
    await trouble.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Preparing the search by meaning, passage 16 of 40.").waitFor();
    expect(await trouble.count()).toBe(0);
  });

  test("models are chosen by provider, and one that is down says what to do", async () => {
    const [chat] = double.state.models;
    if (chat === undefined) throw new Error("no model");
    double.state.models = [
      ...double.state.models,
      { ...chat, ref: "lab/oak", providerId: "lab", model: "oak", task: "unknown", demonstration: false },
    ];
    const down = problem(
      503,
      "unavailable",
      "nobody listens",
      "Ollama is not running: start it with `ollama serve`.",
    );
    double.state.problems = [{ ...down, providerId: "ollama" }];
    await page.goto(double.url);
    const groups = page.locator(".answering optgroup");
    await expect
      .poll(() => groups.evaluateAll((all) => all.map((group) => (group as HTMLOptGroupElement).label)))
      .toEqual(["llamacpp", "lab", "ollama: no models now"]);
    const option = groups.nth(2).locator("option");
    expect(await option.textContent()).toBe("Ollama is not running: start it with ollama serve.");
    expect(await option.isDisabled()).toBe(true);
    await page.locator(".answering select").selectOption("lab/oak");
  });

  test("a file is asked for only where a provider reads files", async () => {
    await page.goto(`${double.url}/models`);
    await page.getByText("Put a GGUF file into this folder").waitFor();
    double.state.modelFormats = [];
    await page.goto(`${double.url}/models`);
    await page.getByText("No installed provider reads model files.").waitFor();
    expect(await page.getByText("Put a GGUF file").count()).toBe(0);
  });

  test("lists and quotations of a document are drawn, and the marked passage is exact", async () => {
    const text =
      "Before you leave:\n\n- shut the **gate**,\n  both wings\n- oil the wheel\n\n> It turns.\n> Still.\n";
    const passage = "- shut the **gate**,\n  both wings\n- oil";
    double.state.documents = [{ ...newDocument("list", "list.md", text.length), mediaType: "text/markdown" }];
    double.state.texts.set("list", { text, pages: [] });
    const from = text.indexOf(passage);
    await page.goto(`${double.url}/documents/list?from=${from}&to=${from + passage.length}`);
    await page.locator(".list-item").first().waitFor();
    expect(await page.locator(".list-item").allTextContents()).toEqual([
      "• shut the gate,\nboth wings",
      "• oil the wheel",
    ]);
    expect((await page.locator("mark").allTextContents()).join("|")).toBe(
      "shut the |gate|,\n|both wings|oil",
    );
    expect(await page.locator(".document-text blockquote").textContent()).toBe("It turns.\nStill.");
  });

  test("no console error, and no request to elsewhere", () => {
    expect(browser.faults()).toEqual([]);
  });
});
