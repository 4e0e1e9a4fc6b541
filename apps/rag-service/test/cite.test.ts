import { describe, expect, test } from "vitest";

import {
  type Attribution,
  createAttributor,
  type Passage,
  type SentenceVerdict,
} from "../src/cite/attribute.ts";
import { readNumbers } from "../src/cite/facts.ts";
import { createWordEmbedder } from "./word-embedder.ts";

const PASSAGES = [
  passage(
    1,
    "The basin was dug in 1871 for the slate trade. It holds 212 berths, of which 36 are kept free for visitors.",
    100,
  ),
  passage(
    2,
    "The lamp was lit for the first time in 1874. It burned whale oil and has been electric since 1931. The original lens was made in Paris by Henri Valcourt.",
    5000,
  ),
  passage(
    3,
    "Petrol is not sold in the harbour. Diesel is sold at the pontoon below the crane from eight to five.",
    900,
  ),
];

async function judge(
  answer: string,
  options: { readonly question?: string; readonly step?: number } = {},
): Promise<Attribution & { readonly told: readonly SentenceVerdict[] }> {
  const told: SentenceVerdict[] = [];
  const attributor = createAttributor({
    question: options.question ?? "What is there to know?",
    passages: PASSAGES,
    onSentence: (verdict) => told.push(verdict),
  });
  const step = options.step ?? answer.length;
  for (let at = 0; at < answer.length; at += step) attributor.push(answer.slice(at, at + step));
  return { ...(await attributor.finish()), told };
}

describe("a sentence", () => {
  test("that a passage says gets a citation with the very place, though the model wrote none", async () => {
    const { sentences } = await judge("The original lens was made by Henri Valcourt.");
    const [verdict] = sentences;
    expect(verdict).toMatchObject({ start: 0, end: 45, supported: true, markers: [] });
    const [citation] = verdict?.citations ?? [];
    const text = PASSAGES[1]?.text ?? "";
    expect(citation).toMatchObject({
      n: 2,
      quote: "The original lens was made in Paris by Henri Valcourt.",
      answerStart: 0,
      answerEnd: 45,
    });
    expect(text.slice((citation?.charStart ?? 0) - 5000, (citation?.charEnd ?? 0) - 5000)).toBe(
      citation?.quote,
    );
  });

  test.each([
    ["with another number", "The basin was dug in 1817."],
    ["with another name", "The original lens was made by Jean Dupont."],
    ["about something else", "The cafe serves pancakes with maple syrup."],
    ["that affirms what is denied", "Petrol is sold in the harbour."],
  ])("%s has no support", async (_what, sentence) => {
    expect((await judge(sentence)).sentences).toMatchObject([{ supported: false, citations: [] }]);
  });

  test("finds its numbers in other notations", async () => {
    expect(
      (await judge("There are 212 berths, and thirty-six are kept free for visitors.")).sentences[0]
        ?.supported,
    ).toBe(true);
    expect((await judge("Diesel is sold from 8 to 5 below the crane.")).sentences[0]).toMatchObject({
      supported: true,
      citations: [{ n: 3 }],
    });
  });

  test("that says nothing to check is neither supported nor not", async () => {
    const answer =
      "# Answer\n\nHere is what I found:\n\n```js\nconst basin = 1871;\n```\n\nDoes this help?\n\nYes.";
    const { sentences, claims, share } = await judge(answer);
    expect(sentences.map(({ supported }) => supported)).toEqual(sentences.map(() => undefined));
    expect([claims, share]).toEqual([0, undefined]);
  });

  test("may be proved by two passages together", async () => {
    const { sentences } = await judge(
      "The basin was dug in 1871 for the slate trade, and the lamp has been electric since 1931.",
    );
    expect(sentences[0]?.supported).toBe(true);
    expect(sentences[0]?.citations.map(({ n }) => n).toSorted()).toEqual([1, 2]);
  });
});

describe("a marker", () => {
  test("is kept where its passage agrees", async () => {
    const { sentences } = await judge("The lamp has been electric since 1931 [2].");
    expect(sentences).toMatchObject([
      {
        text: expect.not.stringContaining("["),
        markers: [{ start: 38, end: 41, n: 2, verdict: "kept" }],
        citations: [{ n: 2 }],
      },
    ]);
  });

  test("is moved where another passage says it", async () => {
    const { sentences } = await judge("The lamp has been electric since 1931 [1].");
    expect(sentences).toMatchObject([
      { markers: [{ n: 1, verdict: "moved", to: 2 }], citations: [{ n: 2 }] },
    ]);
  });

  test("is dropped where none does, and when no such passage exists", async () => {
    const { sentences } = await judge(
      "The mayor lives in Oslo [1]. The lamp has been electric since 1931 [2][9].",
    );
    expect(sentences).toMatchObject([
      { supported: false, markers: [{ n: 1, verdict: "dropped" }] },
      {
        supported: true,
        markers: [
          { n: 2, verdict: "kept" },
          { n: 9, verdict: "dropped" },
        ],
      },
    ]);
  });

  test("after the full stop belongs to the sentence before it", async () => {
    const answer = "The lamp has been electric since 1931.[2] The basin was dug in 1871. [1, 3]";
    const { sentences } = await judge(answer);
    expect(sentences.map(({ markers }) => markers.map(({ n, verdict }) => `${n} ${verdict}`))).toEqual([
      ["2 kept"],
      ["1 kept", "3 dropped"],
    ]);
    expect(sentences.map(({ start, end }) => answer.slice(start, end))).toEqual([
      "The lamp has been electric since 1931.[2]",
      "The basin was dug in 1871. [1, 3]",
    ]);
  });
});

describe("an answer that streams", () => {
  const ANSWER =
    "## Facts\n\nThe lamp, i.e. the light of Dr. Valcourt, has been electric since 1931 [2]. It burned whale oil at first.[2]\n\n1. The basin was dug in 1871 [1].\n2. Diesel is sold from eight to five.\n\n```\ncode. More code.\n```\nThe sky is green. 😀 The mayor lives in Oslo 【3】";

  test("is judged the same in pieces of any size", async () => {
    const whole = await judge(ANSWER);
    expect(whole.sentences.length).toBeGreaterThan(6);
    for (const step of [1, 2, 3, 7, 19]) {
      const pieces = await judge(ANSWER, { step });
      expect(
        pieces.sentences.map(({ start, end, supported, markers }) => ({ start, end, supported, markers })),
      ).toEqual(
        whole.sentences.map(({ start, end, supported, markers }) => ({ start, end, supported, markers })),
      );
      expect(pieces.told).toEqual(pieces.sentences);
    }
  });

  test("tells a sentence before the next one has ended", async () => {
    const told: SentenceVerdict[] = [];
    const attributor = createAttributor({
      question: "?",
      passages: PASSAGES,
      onSentence: (verdict) => told.push(verdict),
    });
    attributor.push("The basin was dug in 1871. The la");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(told).toMatchObject([{ supported: true }]);
    attributor.push("mp has been electric since 1931.");
    expect((await attributor.finish()).supported).toBe(2);
  });

  test("covers the answer without overlaps", async () => {
    let former = 0;
    for (const { start, end } of (await judge(ANSWER)).sentences) {
      expect(ANSWER.slice(former, start).trim()).toBe("");
      expect(end).toBeGreaterThan(start);
      former = end;
    }
    expect(ANSWER.slice(former).trim()).toBe("");
  });
});

describe("the whole answer", () => {
  test("has a share of supported sentences", async () => {
    expect(await judge("The basin was dug in 1871. The mayor lives in Oslo.")).toMatchObject({
      claims: 2,
      supported: 1,
      share: 0.5,
      nothingSupported: false,
    });
  });

  test("without any support is said to be that", async () => {
    expect(await judge("The mayor lives in Oslo. He likes cheese.")).toMatchObject({
      supported: 0,
      nothingSupported: true,
      refused: false,
    });
  });

  test("that refuses is no unsupported claim", async () => {
    for (const refusal of [
      "I don't have enough information to answer this question.",
      "The sources do not mention the mayor.",
      "There is no information about that in the documents.",
    ]) {
      expect(await judge(refusal)).toMatchObject({ claims: 0, nothingSupported: false, refused: true });
    }
  });

  test("is judged without passages, and without an embedder that works", async () => {
    const alone = createAttributor({ question: "?", passages: [] });
    alone.push("The basin was dug in 1871.");
    expect(await alone.finish()).toMatchObject({ claims: 1, nothingSupported: true });
    const embedder = createWordEmbedder({ embed: () => Promise.reject(new Error("gone")) });
    const attributor = createAttributor({ question: "?", passages: PASSAGES, embedder });
    attributor.push("The basin was dug for some slate business.");
    expect((await attributor.finish()).claims).toBe(1);
  });
});

function passage(n: number, text: string, charStart: number): Passage {
  return {
    n,
    chunkId: `ver.${charStart}`,
    documentId: "doc",
    versionId: "ver",
    collectionId: "default",
    name: "handbook.txt",
    title: "Handbook",
    page: undefined,
    pages: [],
    charStart,
    charEnd: charStart + text.length,
    text,
    headingPath: [],
    parent: { charStart, charEnd: charStart + text.length },
    score: { dense: undefined, lexical: 1, fused: 1 },
  };
}

test.each([
  ["Arabic", "\u0661\u0669\u0662\u0661", "\u0661\u0669\u0662\u0662"],
  ["Devanagari", "\u0967\u096f\u0968\u0967", "\u0967\u096f\u0968\u0968"],
  ["mathematical", "𝟙𝟡𝟚𝟙", "𝟙𝟡𝟚𝟚"],
])("numbers in %s digits are held against each other, and against Latin ones", (_script, right, wrong) => {
  expect([...readNumbers(`Built in ${right}.`)]).toEqual(["1921"]);
  expect([...readNumbers(`Built in ${wrong}.`)]).toEqual(["1922"]);
});
