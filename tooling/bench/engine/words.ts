import type { Setting } from "./setting.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const WORDS =
  "river mill bridge clerk flood book spring tower wheel garden stone lamp harbour letter winter road".split(
    " ",
  );

/** `count` of the items, in another order for each number. */
const pick = (items: ArrayLike<string>, count: number, index: number): string[] =>
  Array.from(
    { length: count },
    (_, place) => items[(index * 3 + place * (1 + (index % 5) * 2)) % items.length] ?? "",
  );

/** Another text for each number, so that no cache has it. */
export function question(task: Setting["task"], index: number): string {
  if (task === "story") return `Tell me a long story about: ${pick(WORDS, 4, index).join(", ")}.`;
  return `Continue without end: ${`${pick(LETTERS, 8, index).join(" ")} `.repeat(20)}`;
}

const SENTENCES = [
  "The river rises in the northern hills and turns twice before it reaches the old mill.",
  "In spring the water stands so high that the lower bridge is closed for a week.",
  "The keeper of the mill writes the height of the water into a green book every morning.",
  "Once a month a clerk from the town comes to copy the book.",
  "In the year of the great flood the book was lost, and nobody knows how high the water stood.",
];

export function longQuestion(): string {
  const passages = [...SENTENCES, ...SENTENCES, ...SENTENCES].map((text, index) => `[${index + 1}] ${text}`);
  return `Passages:\n${passages.join("\n")}\n\nQuestion: Who comes to copy the book?`;
}

export const FOLLOW_UP = "And what does the keeper of the mill write?";
