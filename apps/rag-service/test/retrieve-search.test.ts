import { expect, describe, test } from "vitest";

import { bestQuotes } from "../src/retrieve/quotes.ts";
import { openLibrary } from "./library.ts";
import { createWordEmbedder } from "./word-embedder.ts";

const TEXTS = {
  "harbour.txt":
    "The harbour master is Ada Quill. She came in 1998.\n\nA berth costs 12 crowns a night. Who pays for a week sleeps the last night free.\n\nWhere is the office?\nIt stands beside the crane.",
  "kitchen.txt":
    "Bread is baked at four in the morning, because the first ferry leaves at six.\n\nThe cook is called Bruno.",
  "chinese.txt": "東京都庁は新宿区にあります。図書館は毎週月曜日に休みます。",
};

async function openTexts({ vectors = true, windowTokens = 40 } = {}) {
  const embedder = vectors ? createWordEmbedder() : undefined;
  const library = await openLibrary({ embedder, settings: { windowTokens, windowOverlap: 4 } });
  for (const [name, text] of Object.entries(TEXTS)) await library.add(name, text);
  return library;
}

describe("a search", () => {
  test("orders by the relative sum of both scores, and knows both for every hit", async () => {
    const { searcher } = await openTexts();
    const { hits, mode } = await searcher.search({ query: "What does a berth cost for a night?" });
    expect(mode).toBe("hybrid");
    expect(hits[0]?.text).toContain("12 crowns");
    const bestLexical = Math.max(...hits.map(({ score }) => score.lexical ?? 0));
    const bestDense = Math.max(...hits.map(({ score }) => score.dense ?? 0));
    for (const { score } of hits) {
      const expected =
        0.75 * ((score.lexical ?? 0) / bestLexical) + 0.25 * (Math.max(0, score.dense ?? 0) / bestDense);
      expect(score.fused).toBeCloseTo(expected, 6);
      expect(score.dense).toBeTypeOf("number");
    }
    expect(hits.map(({ score }) => score.fused)).toEqual(
      hits.map(({ score }) => score.fused).toSorted((a, b) => b - a),
    );
  });

  test("without a matching word goes by the embedder, without vectors by words", async () => {
    const { searcher, present } = await openTexts();
    expect((await searcher.search({ query: "xylophone zeppelin" })).mode).toBe("dense");
    present.embedder = undefined;
    const { mode, warnings } = await searcher.search({ query: "bread" });
    expect([mode, warnings.length]).toEqual(["lexical", 1]);
    expect((await searcher.search({ query: "bread", mode: "lexical" })).warnings).toEqual([]);
    expect((await searcher.search({ query: "xylophone" })).hits).toEqual([]);
  });

  test("finds words of scripts that put no spaces between them", async () => {
    const { searcher } = await openTexts({ vectors: false });
    expect((await searcher.search({ query: "図書館はいつ休みますか" })).hits[0]?.name).toBe("chinese.txt");
    expect((await searcher.search({ query: "新宿区" })).hits).toHaveLength(1);
  });

  test("takes no character of a question for query syntax", async () => {
    const { searcher } = await openTexts();
    const odd = [
      '"',
      "'",
      "bread*",
      "NEAR(bread cook)",
      "bread AND",
      "text:bread",
      "^bread",
      "-bread +cook",
      "(bread",
      "bread OR OR",
      "{bread}",
      "\0bread",
      "bread\\",
      "%_",
      "NOT",
      "\ud83d",
      '() "" ; DROP TABLE lexical --',
    ];
    for (const query of odd) {
      const { hits } = await searcher.search({ query, mode: "lexical" });
      expect([query, hits[0]?.name]).toEqual([query, query.includes("bread") ? "kitchen.txt" : undefined]);
    }
    const long = Array.from({ length: 1500 }, (_none, at) => `w${at}`).join(" ");
    expect((await searcher.search({ query: `${long} bread`.slice(-7999) })).hits[0]?.name).toBe(
      "kitchen.txt",
    );
  });

  test("stays inside the collections and documents that are named", async () => {
    const { searcher, store, add } = await openTexts();
    const { id } = await store.createCollection({ name: "Other" });
    const { documentId } = await add("other.txt", "Bread of the other kitchen.", { collectionId: id });
    const names = async (filter: object) =>
      (await searcher.search({ query: "bread", ...filter })).hits.map(({ name }) => name);
    for (const mode of ["lexical", "dense", "hybrid"]) {
      expect(await names({ mode, collectionIds: [id] })).toEqual(["other.txt"]);
      expect(await names({ mode, documentIds: [documentId] })).toEqual(["other.txt"]);
      expect(await names({ mode, collectionIds: ["default"] })).not.toContain("other.txt");
      expect(await names({ mode, collectionIds: ["nowhere"] })).toEqual([]);
    }
    expect((await names({})).length).toBeGreaterThan(2);
  });

  test("obeys topK and minScore, and refuses what makes no sense", async () => {
    const { searcher } = await openTexts();
    expect((await searcher.search({ query: "the night", topK: 1 })).hits).toHaveLength(1);
    const { hits } = await searcher.search({ query: "berth night crowns", minScore: 0.9 });
    expect(hits.every(({ score }) => score.fused >= 0.9)).toBe(true);
    for (const wrong of [
      { query: "  " },
      { query: "x", topK: 0 },
      { query: "x", denseWeight: 2 },
      { query: "x".repeat(9000) },
    ]) {
      await expect(searcher.search(wrong)).rejects.toMatchObject({ code: "invalid-request" });
    }
  });

  test("says how much of the question the documents have", async () => {
    const { searcher } = await openTexts();
    expect((await searcher.search({ query: "harbour master" })).coverage).toBe(1);
    expect((await searcher.search({ query: "submarine periscope" })).coverage).toBe(0);
  });

  test("gives more around a hit when asked", async () => {
    const { searcher, store } = await openTexts();
    const [hit] = (await searcher.search({ query: "berth" })).hits;
    if (hit === undefined) throw new Error("nothing was found");
    const wide = await searcher.widen(hit);
    expect(wide.text).toBe(
      await store.readText(hit.documentId, { start: wide.charStart, end: wide.charEnd }),
    );
    expect(wide.text).toContain("beside the crane");
    await store.deleteDocuments({ documentIds: [hit.documentId] });
    expect(await searcher.widen(hit)).toBe(hit);
  });
});

describe("quotes", () => {
  async function quotesOf(question: string, embedder?: ReturnType<typeof createWordEmbedder>) {
    const { searcher, store } = await openTexts({ windowTokens: 80 });
    const { hits, idf } = await searcher.search({ query: question });
    const quotes = await bestQuotes(question, hits, { idf, embedder });
    for (const { documentId, charStart, charEnd, quote } of quotes) {
      expect(await store.readText(documentId, { start: charStart, end: charEnd })).toBe(quote);
    }
    return quotes.map(({ quote }) => quote);
  }

  test("are sentences, verbatim, the best first", async () => {
    expect((await quotesOf("How much does a berth cost?"))[0]).toBe("A berth costs 12 crowns a night.");
    expect((await quotesOf("Why is bread baked so early in the morning?"))[0]).toContain(
      "because the first ferry",
    );
  });

  test("prefer the answer to the same question", async () => {
    expect((await quotesOf("Where is the office?"))[0]).toBe("It stands beside the crane.");
  });

  test("prefer a name to who asks for somebody", async () => {
    expect((await quotesOf("Who is the master of the harbour?"))[0]).toBe("The harbour master is Ada Quill.");
  });

  test("are none where no word fits, and no sentence is there twice", async () => {
    expect(await quotesOf("xylophone zeppelin")).toEqual([]);
    const quotes = await quotesOf("night berth harbour office");
    expect(new Set(quotes).size).toBe(quotes.length);
  });

  test("do without the embedder's opinion when it fails", async () => {
    const failing = createWordEmbedder({ embed: () => Promise.reject(new Error("gone")) });
    expect((await quotesOf("How much does a berth cost?", failing))[0]).toBe(
      "A berth costs 12 crowns a night.",
    );
  });
});
