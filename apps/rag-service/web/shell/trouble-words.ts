import type { Problem } from "../api/client.ts";

type Words = Partial<Pick<Problem, "title" | "detail" | "hint">> & {
  /** The same again would end the same way. */
  readonly final?: true;
};

/** Where this page can say it better than the service, which speaks to programs as well. */
const words: Readonly<Record<string, Words>> = {
  broken: { title: "This file is damaged" },
  empty: { title: "This file is empty" },
  encrypted: { title: "This file is locked with a password" },
  "no-text": { title: "There is no text in this file" },
  "wrong-type": { title: "This kind of file cannot be read" },
  "invalid-request": { title: "This was not accepted" },
  "too-large": { title: "This is too large" },
  "run-not-found": {
    title: "There is no answer at this address",
    detail: "It was deleted since, or the address is not complete.",
    hint: "Ask the question again.",
    final: true,
  },
  "document-not-found": {
    title: "There is no document at this address",
    detail: "It was deleted since, or the address is not complete.",
    hint: "What is there is in the library.",
    final: true,
  },
};

export function wordsFor(problem: Problem): Problem & { readonly final?: true } {
  return { ...problem, ...words[problem.code] };
}
