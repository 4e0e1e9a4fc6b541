/// <reference lib="dom" />
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Browser, launch, noBrowser } from "./browser.ts";
import { buildPage, pageFolder } from "./built-page.ts";
import { type Double, problem, startDouble } from "./double.ts";

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

describe.skipIf(noBrowser).each([
  { name: "light, wide", dark: false, width: 1280, height: 800 },
  { name: "dark, wide", dark: true, width: 1280, height: 800 },
  { name: "light, narrow", dark: false, width: 390, height: 844 },
  { name: "dark, narrow", dark: true, width: 390, height: 844 },
])("assistive technology finds nothing amiss: $name", ({ dark, width, height }) => {
  let double: Double;
  let browser: Browser;
  let page: Page;
  let axe: string;

  beforeAll(async () => {
    await buildPage();
    axe = await readFile(axePath, "utf8");
    [double, browser] = await Promise.all([startDouble(pageFolder), launch({ dark, width, height })]);
    page = await browser.open(double.url);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([browser?.close(), double?.close()]);
  });

  /** What axe finds, one line each: the rule, and where. */
  async function findings(): Promise<readonly string[]> {
    await page.evaluate(axe);
    const results = await page.evaluate(() =>
      (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
    );
    return results.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`),
    );
  }

  test("before the first question", async () => {
    await page.locator(".start-questions").first().waitFor();
    expect(await findings()).toEqual([]);
  });

  test("an answer with its source open", async () => {
    await page.locator("#question").fill("How often must the slewing ring be greased?");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await page.locator(".figures-line button").click();
    await page.locator(".answer-body .chip").first().click();
    await page.locator(".source-panel mark").waitFor();
    expect(await findings()).toEqual([]);
  });

  test("an answer that broke off", async () => {
    double.state.breakAfter = {
      words: 5,
      problem: problem(502, "stream-interrupted", "The engine ended.", "Try again."),
    };
    await page.goto(double.url);
    await page.locator("#question").fill("At which wind speed does work stop?");
    await page.keyboard.press("Enter");
    await page.locator(".trouble").waitFor();
    double.state.breakAfter = undefined;
    expect(await findings()).toEqual([]);
  });

  test("the library, with a document that is read, one that failed and a question about deleting", async () => {
    await page.goto(`${double.url}/library`);
    const files = ["tide.txt", "empty.txt"].map((name) => ({
      name,
      mimeType: "text/plain",
      buffer: Buffer.from(name === "empty.txt" ? "" : "High water at noon."),
    }));
    await page.locator("input[type=file]").setInputFiles(files);
    await page.getByText("Reading page 12 of 40").waitFor();
    await page.locator(".trouble").waitFor();
    await page.getByRole("button", { name: /Delete Lease/ }).click();
    expect(await findings()).toEqual([]);
  });

  test("an empty library", async () => {
    const { documents, examples } = double.state;
    double.state.documents = [];
    double.state.examples = examples.map(({ documentId: _, ...example }) => example);
    await page.goto(`${double.url}/library`);
    await page.getByText("Begin with an example").waitFor();
    expect(await findings()).toEqual([]);
    await page.goto(double.url);
    await page.getByText("There are no documents yet").waitFor();
    expect(await findings()).toEqual([]);
    Object.assign(double.state, { documents, examples });
  });

  test("a document with a marked passage", async () => {
    await page.goto(`${double.url}/documents/manual?from=30&to=120`);
    await page.locator(".document-text mark").waitFor();
    expect(await findings()).toEqual([]);
  });

  test("the models, one on its way", async () => {
    await page.goto(`${double.url}/models`);
    await page.getByRole("button", { name: /Get SmolLM2 135M/ }).click();
    await page.getByText("Fetching 61 of 145 MB").waitFor();
    expect(await findings()).toEqual([]);
  });

  test("the keys, and an address where nothing is", async () => {
    await page.goto(`${double.url}/nowhere`);
    await page.getByRole("heading", { name: "There is nothing at this address" }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    expect(await findings()).toEqual([]);
    await page.keyboard.press("Escape");
    expect(browser.faults()).toEqual([]);
  });
});
