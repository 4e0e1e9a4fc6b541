import { describe, expect, test } from "vitest";

import type { DocumentContent, Sentence } from "../src/api/schemas.ts";
import { closeMarks, type MarkNode, remarkSentences } from "../web/ask/answer-text.ts";
import { blocksOf, headingsOf } from "../web/document/blocks.ts";
import { inlineRuns, readable, tableCells } from "../web/document/inline.ts";

describe("half-open marks of an answer that still comes", () => {
  test.each([
    ["It is **very", "It is **very**"],
    ["It is **", "It is"],
    ["It is *so", "It is *so*"],
    ["Call `run", "Call `run`"],
    ["See [the page](https://exam", "See "],
    ["A **bold** word and **an", "A **bold** word and **an**"],
    ["```js\nconst a = 1;", "```js\nconst a = 1;\n```"],
    ["Nothing is open here.", "Nothing is open here."],
    ["2 * 3 is 6", "2 * 3 is 6"],
  ])("%j is shown as %j", (text, shown) => {
    expect(closeMarks(text)).toBe(shown);
  });
});

describe("numbers of sources in an answer", () => {
  const answer = "The fee is 18 crowns. [1] Boats are blue.";
  const text: MarkNode = {
    type: "text",
    value: answer,
    position: { start: { offset: 0 }, end: { offset: answer.length } },
  };
  const sentence = (start: number, end: number, supported: boolean, citations: number[]): Sentence => ({
    start,
    end,
    supported,
    citations,
    markers: [],
  });

  function shown(sentences: readonly Sentence[]): string {
    const tree: MarkNode = { type: "root", children: [{ type: "paragraph", children: [{ ...text }] }] };
    remarkSentences(answer, sentences)()(tree);
    return textOf(tree);
  }
  function textOf(node: MarkNode): string {
    const { n, note, className } = node.data?.hProperties ?? {};
    if (n !== undefined) return `<${n}>`;
    if (note !== undefined) return "<none>";
    const inside = node.value ?? (node.children ?? []).map(textOf).join("");
    return className === "unsupported" ? `~${inside}~` : inside;
  }

  test("stand at the end of the sentence, in place of the model's own", () => {
    expect(shown([sentence(0, 25, true, [1])])).toBe("The fee is 18 crowns.<1> Boats are blue.");
  });
  test("are not given to a sentence without support, which is marked", () => {
    expect(shown([sentence(0, 26, true, [2]), sentence(26, answer.length, false, [])])).toBe(
      "The fee is 18 crowns.<2> ~Boats are blue.~<none>",
    );
  });
  test("wait for the service: before its verdict there are none", () => {
    expect(shown([])).toBe("The fee is 18 crowns. Boats are blue.");
  });
});

describe("the blocks of a document", () => {
  const content = (text: string, known: Partial<DocumentContent> = {}) => ({
    text,
    pages: [],
    mediaType: "text/plain",
    ...known,
  });

  test("hold every character but the gaps between them, at its own place", () => {
    const text = "One.\n\nTwo goes on\nfor two lines.\n\n\n  Three.";
    const blocks = blocksOf(content(text), new Map());
    expect(blocks.map(({ start, end }) => text.slice(start, end))).toEqual([
      "One.",
      "Two goes on\nfor two lines.",
      "Three.",
    ]);
  });
  test("know headings by the passages' paths, and pages by their places", () => {
    const text = "Fees\n\nA berth costs 18.\n\nHistory\nIt was dug in 1871.";
    const pages = [
      { page: 1, charStart: 0, charEnd: 25 },
      { page: 2, charStart: 25, charEnd: text.length },
    ];
    const blocks = blocksOf(content(text, { pages }), headingsOf([["Fees"], ["Fees", "History"]]));
    expect(blocks.map(({ start, end, level, page }) => [text.slice(start, end), level, page])).toEqual([
      ["Fees", 1, 1],
      ["A berth costs 18.", undefined, undefined],
      ["History", 2, 2],
      ["It was dug in 1871.", undefined, undefined],
    ]);
  });
  test("do not show the signs of a Markdown heading", () => {
    const text = "# Title\n\nWords.\n\n## Part\n\nMore.";
    const blocks = blocksOf(content(text, { mediaType: "text/markdown" }), new Map());
    expect(blocks.map(({ start, end, level }) => [text.slice(start, end), level])).toEqual([
      ["Title", 1],
      ["Words.", undefined],
      ["Part", 2],
      ["More.", undefined],
    ]);
  });
  const drawn = (text: string, mediaType = "text/markdown") =>
    blocksOf(content(text, { mediaType }), new Map()).map(({ start, end, item, quotation, code }) => [
      item?.mark ?? [quotation && "quoted", code && "code"].find(Boolean) ?? "",
      text.slice(start, end),
    ]);
  test.each([
    [
      "bullets, in the midst of a paragraph too",
      "Bring:\n- a **rope**,\n  of hemp\n- oil\n\n* and time",
      [
        ["", "Bring:"],
        ["•", "a **rope**,\n  of hemp"],
        ["•", "oil"],
        ["•", "and time"],
      ],
    ],
    [
      "numbers in a row",
      "1. Open it.\n2. Shut it.\n\n3) Go.",
      [
        ["1.", "Open it."],
        ["2.", "Shut it."],
        ["3)", "Go."],
      ],
    ],
    [
      "numbers that Markdown counts itself, and a leap",
      "1. Open it.\n1. Shut it.\n10. Go.",
      [
        ["1.", "Open it."],
        ["1.", "Shut it."],
        ["10.", "Go."],
      ],
    ],
    [
      "tasks",
      "- [ ] sweep\n- [x] oil",
      [
        ["☐", "sweep"],
        ["☑", "oil"],
      ],
    ],
    [
      "quotations",
      "He said:\n> Go on.\n> Now.\n\nSo we went.",
      [
        ["", "He said:"],
        ["quoted", "> Go on.\n> Now."],
        ["", "So we went."],
      ],
    ],
    [
      "no divider",
      "One.\n\n* * *\n\nTwo.",
      [
        ["", "One."],
        ["", "* * *"],
        ["", "Two."],
      ],
    ],
    [
      "code, and nothing that looks like a list in it",
      "Run:\n\n```sh\n- a\n\n# b\n```\n\nDone.",
      [
        ["", "Run:"],
        ["code", "- a\n\n# b"],
        ["", "Done."],
      ],
    ],
  ])("know %s", (_what, text, blocks) => {
    expect(drawn(text)).toEqual(blocks);
  });
  test.each([
    ["a number that stands for itself", "1. Water\n\nDrink it.\n\n2. Fire\n\nShun it.", "text/plain", 4],
    ["a dash that begins a line by chance", "It is late\n- so they say -\nand dark.", "text/plain", 1],
    ["a sign that no person typed", "> 5 degrees is warm.", "text/html", 1],
  ])("leave %s as it is", (_what, text, mediaType, blocks) => {
    expect(drawn(text, mediaType).map(([kind]) => kind)).toEqual(Array(blocks).fill(""));
  });
  test("of a plain text have lists as well", () => {
    expect(drawn("Bring:\n- rope\n- oil", "text/plain")).toEqual([
      ["", "Bring:"],
      ["•", "rope"],
      ["•", "oil"],
    ]);
  });
  test("of a text without any gap are cut all the same, and nothing is lost", () => {
    const text = "A row of figures, one of very many. ".repeat(1_000).trim();
    const blocks = blocksOf(content(text), new Map());
    expect(blocks.length).toBeGreaterThan(5);
    expect(blocks.map(({ start, end }) => text.slice(start, end)).join("")).toBe(text);
  });
});

describe("Markdown in a document", () => {
  test("loses its signs and keeps its places", () => {
    const text = "Cards are **not** included; call `run` or *wait*.";
    const runs = inlineRuns(text, 0, text.length);
    expect(runs.map(({ start, end, style }) => [text.slice(start, end), style])).toEqual([
      ["Cards are ", undefined],
      ["not", "strong"],
      [" included; call ", undefined],
      ["run", "code"],
      [" or ", undefined],
      ["wait", "em"],
      [".", undefined],
    ]);
  });
  test("tables have cells at their places", () => {
    const text = "| Plan | Days |\n| --- | --- |\n| Night | 12 |";
    const rows = tableCells(text, 0, text.length);
    expect(rows?.map((cells) => cells.map(({ start, end }) => text.slice(start, end)))).toEqual([
      ["Plan", "Days"],
      ["Night", "12"],
    ]);
    expect(tableCells("No table | at all", 0, 17)).toBeUndefined();
  });
  test("quotes read as sentences, and those of other documents stay as they are", () => {
    expect(readable("| Night | from sunset | 12 days |", "manual.md")).toBe("Night · from sunset · 12 days");
    expect(readable("- Cards are **not** included.", "manual.md")).toBe("Cards are not included.");
    expect(readable("a ** b | c", "notes.txt")).toBe("a ** b | c");
  });
  test.each([
    ["- Oil the wheel.", "Oil the wheel."],
    ["2. Oil the wheel.", "Oil the wheel."],
    ["• Oil the wheel.", "Oil the wheel."],
    ["> It turns,\n> they say.", "It turns,\nthey say."],
    ["- rope\n- oil", "rope • oil"],
    ["12.5 tonnes are lifted.", "12.5 tonnes are lifted."],
    ["-5 degrees is cold.", "-5 degrees is cold."],
  ])("the quote %j is read as %j, whatever the document", (quote, read) => {
    expect(readable(quote, "notes.txt")).toBe(read);
    expect(readable(quote, "notes.md")).toBe(read);
  });
});
