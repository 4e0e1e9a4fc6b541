import { DatabaseSync } from "node:sqlite";

import { expect, test } from "vitest";

import { stem } from "../src/retrieve/stem.ts";
import { queryTerms, segmented, words } from "../src/retrieve/words.ts";

test("the stemmer agrees with Porter's", () => {
  const pairs = {
    caresses: "caress",
    ponies: "poni",
    cats: "cat",
    agreed: "agre",
    plastered: "plaster",
    motoring: "motor",
    hopping: "hop",
    falling: "fall",
    filing: "file",
    happy: "happi",
    relational: "relat",
    conditional: "condit",
    digitizer: "digit",
    operator: "oper",
    hopefulness: "hope",
    formalize: "formal",
    electrical: "electr",
    revival: "reviv",
    adjustable: "adjust",
    adoption: "adopt",
    effective: "effect",
    probate: "probat",
    controlling: "control",
    sky: "sky",
  };
  for (const [word, root] of Object.entries(pairs)) expect([word, stem(word)]).toEqual([word, root]);
});

test("words of any length end up as in the index", () => {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = 'porter unicode61')");
  database.exec("CREATE VIRTUAL TABLE terms USING fts5vocab(texts, 'row')");
  for (const word of [`ba${"tu".repeat(29)}ring`, `ba${"tu".repeat(30)}ring`, "y".repeat(20_000)]) {
    database.prepare("INSERT INTO texts VALUES (?)").run(word);
    const [row] = database.prepare("SELECT term FROM terms").all();
    // A difference of such words is better not printed.
    expect(row?.["term"] === stem(word)).toBe(true);
    database.exec("DELETE FROM texts");
  }
  database.close();
});

test("questions lose their stop words unless nothing else remains", () => {
  expect(queryTerms("What is the depth of the basin?")).toEqual(["depth", "basin"]);
  expect(queryTerms("who is he")).toEqual(["who", "is", "he"]);
  expect(queryTerms("?!")).toEqual([]);
});

test("words of scripts without spaces are cut on both sides of the index alike", () => {
  const text = "東京都庁は新宿区にあります。";
  const cut = [...words(text)].map(({ text: word }) => word);
  expect(cut.length).toBeGreaterThan(3);
  expect(
    segmented(text)
      .split(/[\s。]+/)
      .filter(Boolean),
  ).toEqual(cut);
});

test("words keep their places in the text", () => {
  const text = "Café «naïve», don't 東京都!";
  for (const { text: word, start, end } of words(text)) expect(text.slice(start, end)).toBe(word);
});
