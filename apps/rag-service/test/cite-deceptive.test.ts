import { expect, test } from "vitest";

import { createAttributor, type Passage } from "../src/cite/attribute.ts";

const TEXTS = [
  "The depth in the basin is 3.4 metres at mean low water. Vessels that draw more must tell the office.",
  "Mains water was forbidden for gardens from 14 June, and only the rain tanks kept the beds alive.",
  "E1 means that the card is too slow. Use a card of class U3.",
  "The greenhouse was crushed by an ash tree on 27 December. It was insured.",
  "The lamp was lit in 1874. It burned whale oil at first. The lens was made in Paris by Henri Valcourt.",
];

async function supported(question: string, answer: string): Promise<readonly (boolean | undefined)[]> {
  const attributor = createAttributor({ question, passages: TEXTS.map(passage) });
  attributor.push(answer);
  return (await attributor.finish()).sentences.map((sentence) => sentence.supported);
}

test.each([
  `This an a ${"card of class U3 ".repeat(12)}`,
  "Use a card of class U3 use a card of class U3 use a card of class U3",
  "The card card card card of class U3",
  "Card of class U3, card of class U3, card of class U3",
  "Class U3 class U3 class U3 class U3 card",
  "The lamp was lit in 1874 lit in 1874 lit in 1874",
  "Mains water was forbidden for gardens for gardens for gardens from 14 June",
  "The lens was made in Paris, made in Paris, made in Paris by Henri Valcourt.",
  "It burned whale oil whale oil whale oil whale oil.",
])("a loop is no statement: %s", async (answer) => {
  expect(await supported("What is there to know?", answer)).toEqual([false]);
});

test.each([
  ["What is the depth in the basin?", "The depth in the basin is forbidden for gardens from 14 June."],
  ["What is the depth in the basin?", "The depth is forbidden for gardens from 14 June."],
  ["What is the depth in the basin?", "The basin was crushed by an ash tree on 27 December."],
  ["When was the lamp lit?", "The lamp was forbidden for gardens from 14 June."],
  ["When was the lamp lit?", "The lamp was crushed by an ash tree on 27 December."],
  ["Who made the lens?", "The lens was crushed by an ash tree on 27 December."],
  ["What crushed the greenhouse?", "The greenhouse was made in Paris by Henri Valcourt."],
  ["What crushed the greenhouse?", "The greenhouse burned whale oil at first."],
  ["When was mains water forbidden?", "Mains water was made in Paris by Henri Valcourt."],
])("asked %s, another sentence's predicate proves nothing: %s", async (question, answer) => {
  expect(await supported(question, answer)).toEqual([false]);
});

test.each([
  ["What is the depth in the basin?", "The basin is 3.4 metres deep at mean low water, which is its depth."],
  ["What did the lamp burn?", "The lamp burned whale oil at first."],
  ["Was the greenhouse insured?", "The greenhouse was insured."],
  ["Who made the lens?", "Henri Valcourt made the lens in Paris."],
  ["What should I do?", "Use a card of class U3, because a slow card gives E1."],
])("asked %s, what the text says keeps its support: %s", async (question, answer) => {
  expect(await supported(question, answer)).toEqual([true]);
});

function passage(text: string, at: number): Passage {
  const charStart = at * 1000;
  const charEnd = charStart + text.length;
  return {
    n: at + 1,
    chunkId: `ver.${charStart}`,
    documentId: `doc${at}`,
    versionId: "ver",
    collectionId: "default",
    name: `text-${at}.txt`,
    title: "",
    page: undefined,
    pages: [],
    charStart,
    charEnd,
    text,
    headingPath: [],
    parent: { charStart, charEnd },
    score: { dense: undefined, lexical: 1, fused: 1 },
  };
}
