import type { Asked, AskedMessage } from "../backend.ts";

/** A fake's token: what white space divides. */
export const countWords = (text: string): number => text.split(/\s+/u).filter((word) => word !== "").length;

/** Text up to and with the last of so many words. */
export const firstWords = (text: string, count: number): string =>
  count <= 0 ? "" : (new RegExp(`^\\s*(?:\\S+\\s*){0,${count}}`, "u").exec(text)?.[0] ?? "").trimEnd();

export const wordsOfMessages = (messages: readonly AskedMessage[] | undefined): number =>
  (messages ?? []).reduce((sum, message) => sum + wordsOfMessage(message), 0);

export const wordsOfTexts = (texts: Asked["texts"]): number =>
  (texts ?? []).reduce((sum, text) => sum + countWords(text), 0);

/** The same text gives the same vector of length 1, on every wire and in every run. */
export const vectorFor = (text: string, dimensions: number): number[] => {
  let state = 2_166_136_261;
  for (const unit of text) state = Math.imul(state ^ (unit.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  const raw = Array.from({ length: dimensions }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  const length = Math.hypot(...raw);
  return raw.map((value) => value / length);
};

/** The share of the query's words that the text has. */
export const scoreFor = (query: string, text: string): number => {
  const asked = query
    .toLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== "");
  const there = new Set(text.toLowerCase().split(/\s+/u));
  return asked.length === 0 ? 0 : asked.filter((word) => there.has(word)).length / asked.length;
};

const wordsOfMessage = (message: AskedMessage): number =>
  countWords(message.text) +
  countWords(message.reasoning ?? "") +
  (message.calls ?? []).reduce((sum, call) => sum + countWords(inputText(call.input)), 0);

const inputText = (input: unknown): string =>
  typeof input === "string" ? input : (JSON.stringify(input) ?? "");
