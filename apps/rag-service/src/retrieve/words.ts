import { stem } from "./stem.ts";

/** A word as it stands in a text, with its place and the form under which it is compared. */
export interface Word {
  readonly text: string;
  readonly form: string;
  readonly start: number;
  readonly end: number;
}

/** Scripts that put no space between words: both sides of the index see them cut by `Intl.Segmenter`. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const RUN = /[\p{L}\p{N}\p{M}]+/gu;

let segmenter: Intl.Segmenter | undefined;

/** The words of a text in order, cut the way the index cuts them. */
export function* words(text: string): Generator<Word> {
  for (const found of text.matchAll(RUN)) {
    const run = found[0];
    if (!UNSPACED.test(run)) {
      yield { text: run, form: formOf(run), start: found.index, end: found.index + run.length };
      continue;
    }
    segmenter ??= new Intl.Segmenter(undefined, { granularity: "word" });
    for (const { segment, index } of segmenter.segment(run)) {
      const start = found.index + index;
      yield { text: segment, form: formOf(segment), start, end: start + segment.length };
    }
  }
}

/** The text as the index reads it: unspaced scripts with spaces between their words, all else unchanged. */
export function segmented(text: string): string {
  if (!UNSPACED.test(text)) return text;
  let result = "";
  let from = 0;
  for (const word of words(text)) {
    result += `${text.slice(from, word.start)} ${word.text} `;
    from = word.end;
  }
  return result + text.slice(from);
}

/** One form for all spellings of a word: no case, no accents, the English stem. */
export function formOf(word: string): string {
  return stem(plain(word));
}

/** Lower case, without accents. */
export function plain(word: string): string {
  return /^[a-z0-9]+$/.test(word)
    ? word
    : word
        .normalize("NFKD")
        .replace(/\p{M}+/gu, "")
        .toLowerCase();
}

const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    "a about above after again against all also am an and any are aren as at be because been before being below between both but by can cannot could couldn " +
    "d did didn do does doesn doing don down during each few for from further had hadn has hasn have haven having he her here hers herself him himself his how " +
    "i if in into is isn it its itself just ll m me more most must my myself no nor not now of off on once only or other our ours ourselves out over own " +
    "please re s same shall she should shouldn so some such t than that the their theirs them themselves then there these they this those through to too " +
    "under until up us ve very was wasn we were weren what when where which while who whom whose why will with won would wouldn you your yours yourself yourselves " +
    "tell give show explain describe does many much"
  ).split(" "),
);

/** Words that say nothing about what a text is about. English only: other languages keep all theirs. */
export function isStopWord(word: string): boolean {
  return STOP_WORDS.has(plain(word));
}

/** The different words of a question that carry its meaning; all of them when nothing else remains. */
export function queryTerms(question: string): readonly string[] {
  const all = new Map<string, string>();
  const telling = new Map<string, string>();
  for (const word of words(question)) {
    if (!all.has(word.form)) all.set(word.form, word.text);
    if (!isStopWord(word.text) && !telling.has(word.form)) telling.set(word.form, word.text);
  }
  return [...(telling.size > 0 ? telling : all).values()];
}
