import { expect, test } from "vitest";

import { createThinkTags } from "../src/index.ts";

interface Told {
  readonly text: string;
  readonly reasoning: string;
}

/** What is told of an answer that comes in pieces of this size, each piece at once. */
function told(answer: string, size: number, opened = false): Told {
  const said = { text: "", reasoning: "" };
  const tags = createThinkTags({
    text: (text) => void (said.text += text),
    reasoning: (text) => void (said.reasoning += text),
    opened,
  });
  for (let at = 0; at < answer.length; at += size) tags.add(answer.slice(at, at + size));
  tags.end();
  return said;
}

const SIZES = [1, 2, 3, 7, 100];

test.each(SIZES)("thoughts at the head are told apart in pieces of %i characters", (size) => {
  expect(told(" \n<think>one < two</thin</think>\n\nUse <think> and </think> so.", size)).toEqual({
    reasoning: "one < two</thin",
    text: "Use <think> and </think> so.",
  });
});

test.each(["Write <think> first.", "<thin", "<", "<thinking>hard</thinking>", "  leading blanks", "  ", ""])(
  "%j is an answer, and all of it",
  (text) => {
    for (const size of SIZES) expect(told(text, size)).toEqual({ text, reasoning: "" });
  },
);

test("where the prompt opens the tag, the answer begins inside the thoughts, written once more or not", () => {
  for (const size of SIZES)
    for (const opening of ["", "<think>"])
      expect(told(`${opening}hm</think>So.`, size, true)).toEqual({ reasoning: "hm", text: "So." });
});

test("thoughts that never end are thoughts, with what looked like the beginning of a tag", () => {
  for (const size of SIZES)
    expect(told("<think>and then </thi", size)).toEqual({ reasoning: "and then </thi", text: "" });
});

test("nothing is held back longer than it may become a tag", () => {
  const said: string[] = [];
  const tags = createThinkTags({ text: (text) => said.push(text), reasoning: (text) => said.push(text) });
  tags.add("<think>a < b");
  tags.add("</th");
  tags.add("ere");
  tags.add("</think>So");
  tags.add("<thi");
  expect(said).toEqual(["a < b", "</there", "So", "<thi"]);
});
