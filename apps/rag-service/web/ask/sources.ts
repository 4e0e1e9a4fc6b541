import type { Citation, Run, Sentence } from "../../src/api/schemas.ts";

/** A place in a document that the page can show: what a sentence of the answer rests on, or a quote. */
export interface Source {
  /** Its name in the address: `c2` is the second citation, `q1` the best quote. */
  readonly key: string;
  readonly citation: Citation;
}

/** All of a run's sources in the order in which `[` and `]` walk them: the cited ones, then the other quotes. */
export function sourcesOf({ citations, quotes }: Run): readonly Source[] {
  const cited = citations.map((citation, index) => ({ key: `c${index + 1}`, citation }));
  const rest = quotes
    .map((citation, index) => ({ key: `q${index + 1}`, citation }))
    .filter(({ citation }) => !citations.some((other) => samePlace(other, citation)));
  return [...unique(cited), ...rest];
}

/** The source that is shown for a key: its own, or the one that stands for the same place. */
export function findSource(run: Run, key: string): Source | undefined {
  const number = Number(key.slice(1)) - 1;
  const citation = key.startsWith("c") ? run.citations[number] : run.quotes[number];
  if (citation === undefined) return undefined;
  return sourcesOf(run).find((source) => samePlace(source.citation, citation));
}

/** The key of the citation that a sentence's number `n` stands for. */
export function keyOfNumber({ citations }: Run, sentence: Sentence, n: number): string {
  const own = citations.findIndex(
    ({ n: number, answerStart, answerEnd }) =>
      number === n && (answerStart ?? -1) < sentence.end && (answerEnd ?? -1) > sentence.start,
  );
  return `c${(own === -1 ? citations.findIndex((citation) => citation.n === n) : own) + 1}`;
}

/** Page and headings; a heading that only repeats the document's title is left out. */
export function placeOf({
  page,
  headingPath,
  title,
}: Pick<Citation, "page" | "headingPath" | "title">): string {
  const headings = headingPath.filter((heading, depth) => depth > 0 || heading !== title);
  const parts = page === undefined ? [] : [`Page ${page}`];
  if (headings.length > 0) parts.push(headings.join(" › "));
  return parts.join(" · ");
}

export function documentAddress(
  { documentId, charStart, charEnd }: Pick<Citation, "documentId" | "charStart" | "charEnd">,
  back: string,
): string {
  const query = new URLSearchParams({ from: String(charStart), to: String(charEnd), back });
  return `/documents/${encodeURIComponent(documentId)}?${query.toString()}`;
}

export function samePlace(a: Citation, b: Citation): boolean {
  return a.documentId === b.documentId && a.charStart === b.charStart && a.charEnd === b.charEnd;
}

function unique(sources: readonly Source[]): readonly Source[] {
  return sources.filter(
    ({ citation }, index) => sources.findIndex((other) => samePlace(other.citation, citation)) === index,
  );
}
