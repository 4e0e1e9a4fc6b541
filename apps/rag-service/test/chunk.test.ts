import { describe, expect, test } from "vitest";

import { chunk, splitText } from "../src/chunk/chunk.ts";
import { sentences } from "../src/chunk/sentences.ts";
import { estimateTokens } from "../src/chunk/tokens.ts";
import type { Block } from "../src/extract/extracted.ts";
import { paragraphs } from "../src/extract/text.ts";

const SETTINGS = { parentTokens: 400, parentOverlap: 40, windowTokens: 80, windowOverlap: 12 };

describe("windows of sixty random texts", () => {
  const cases = Array.from({ length: 60 }, (_none, at) => {
    const text = randomText(at + 1);
    return {
      seed: at + 1,
      text,
      windows: chunk({ text, blocks: paragraphs(text, 0, text.length) }, SETTINGS),
    };
  });

  test("cover every character, in order and within the limit", () => {
    for (const { seed, text, windows } of cases) {
      const covered = new Uint8Array(text.length);
      let former = -1;
      for (const { charStart, charEnd, parentStart, parentEnd } of windows) {
        expect(charStart, `seed ${seed}`).toBeGreaterThan(former);
        expect(charEnd).toBeGreaterThan(charStart);
        expect(parentStart).toBeLessThanOrEqual(charStart);
        expect(parentEnd).toBeGreaterThanOrEqual(charEnd);
        expect(estimateTokens(text, charStart, charEnd)).toBeLessThanOrEqual(SETTINGS.windowTokens * 1.15);
        covered.fill(1, charStart, charEnd);
        former = charStart;
      }
      const lost = [...text.matchAll(/\S/g)].filter(({ index }) => covered[index] === 0);
      expect(lost, `seed ${seed}`).toEqual([]);
    }
  });

  test("never cut a surrogate pair", () => {
    for (const { seed, text, windows } of cases) {
      for (const { charStart, charEnd, parentStart, parentEnd } of windows) {
        for (const part of [text.slice(charStart, charEnd), text.slice(parentStart, parentEnd)]) {
          expect(/\p{Surrogate}/u.test(part), `seed ${seed}`).toBe(false);
        }
      }
    }
  });
});

test("a text without a single space is cut between its characters", () => {
  const family = "👨‍👩‍👧‍👦";
  const text = family.repeat(500);
  const windows = chunk({ text, blocks: [] }, SETTINGS);
  expect(windows.length).toBeGreaterThan(5);
  for (const { charStart, charEnd } of windows) {
    expect(text.slice(charStart, charEnd).replaceAll(family, "")).toBe("");
  }
});

test("windows end where sections end and carry their headings", () => {
  const filler = "This sentence says something about the matter at hand. ".repeat(5).trim();
  const parts = ["# Guide", filler, "## Water", filler, "## Fire", filler];
  const text = parts.join("\n\n");
  const blocks = blocksOf(parts);
  const windows = chunk({ text, blocks }, SETTINGS);
  const water = windows.find(({ charStart }) => text.startsWith("## Water", charStart));
  const fire = windows.find(({ charStart }) => text.startsWith("## Fire", charStart));
  expect(water?.headingPath).toEqual(["Guide", "Water"]);
  expect(fire?.headingPath).toEqual(["Guide", "Fire"]);
});

test("what a parser's blocks leave out is in a window all the same", () => {
  const text = "Before the tree.\n\nInside the tree.\n\nAfter the tree.";
  const start = text.indexOf("Inside");
  const [window] = chunk({ text, blocks: [{ start, end: start + 16, kind: "paragraph" }] }, SETTINGS);
  expect(text.slice(window?.charStart, window?.charEnd)).toBe(text);
});

test("a parent overlaps the one before it and holds its windows", () => {
  const text = Array.from({ length: 200 }, (_none, at) => `Sentence number ${at} is here.`).join(" ");
  const windows = chunk({ text, blocks: paragraphs(text, 0, text.length) }, SETTINGS);
  const parents = [...new Map(windows.map((window) => [window.parentStart, window.parentEnd]))];
  expect(parents.length).toBeGreaterThan(2);
  for (const [at, [start, end]] of parents.entries()) {
    expect(estimateTokens(text, start, end)).toBeLessThanOrEqual(SETTINGS.parentTokens * 1.1);
    const former = parents[at - 1];
    expect(start).toBeLessThan(former?.[1] ?? Infinity);
  }
});

test("a window that an embedder cannot read is cut into pieces that lose nothing", () => {
  const text = randomText(7).slice(0, 900);
  const cuts = splitText(text, 40);
  expect(cuts.length).toBeGreaterThan(1);
  const kept = cuts.map(({ start, end }) => text.slice(start, end)).join("");
  expect(kept.replace(/\s+/g, "")).toBe(text.replace(/\s+/g, ""));
});

describe("sentences", () => {
  const split = (text: string) => sentences(text).map(({ start, end }) => text.slice(start, end));

  test("do not end after an abbreviation or the number of a list item", () => {
    expect(split("Dr. Ames came at 5 p.m. on Monday. He left.")).toEqual([
      "Dr. Ames came at 5 p.m. on Monday.",
      "He left.",
    ]);
    expect(split("1. Open the lid.\n2. Close it.")).toEqual(["1. Open the lid.", "2. Close it."]);
  });

  test("go on over the end of a line that was broken to fit the page", () => {
    const wrapped = "The basin was dug in 1871 for the slate trade and\nwidened in 1958. It is deep.";
    expect(split(wrapped)).toEqual([
      "The basin was dug in 1871 for the slate trade and\nwidened in 1958.",
      "It is deep.",
    ]);
  });

  test("end with a short line of its own", () => {
    expect(split("Opening hours\nWe open at nine.")).toEqual(["Opening hours", "We open at nine."]);
  });
});

function blocksOf(parts: readonly string[]): readonly Block[] {
  let at = 0;
  return parts.map((part) => {
    const start = at;
    at += part.length + 2;
    const level = /^(#+) /.exec(part)?.[1]?.length;
    const end = start + part.length;
    return level === undefined ? { start, end, kind: "paragraph" } : { start, end, kind: "heading", level };
  });
}

/** Words of many scripts, emoji, marks, odd white space and odd line ends. */
function randomText(seed: number): string {
  let state = seed * 2_654_435_761;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pieces = [
    "harbour",
    "a",
    "Ёлка",
    "東京都庁",
    "ภาษาไทย",
    "😀",
    "👩🏽‍🚀",
    "e\u0301te\u0301",
    "𝒳𝒴",
    "שלום",
    "नमस्ते",
    "x".repeat(1 + random(600)),
    "🇬🇧🇫🇷",
    "3.14",
    "U.S.",
    "\u200b",
    "ﷺ",
  ];
  const ends = [" ", " ", " ", " ", ". ", "? ", "\n", "\n\n", "\t", "\u00a0", "。", ""];
  let text = "";
  const count = 40 + random(300);
  for (let at = 0; at < count; at++)
    text += (pieces[random(pieces.length)] ?? "") + (ends[random(ends.length)] ?? "");
  return text;
}
