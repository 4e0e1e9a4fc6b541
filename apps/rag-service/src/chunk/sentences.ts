/** A part of a text by UTF-16 offsets. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** After these a full stop ends no sentence. */
const ABBREVIATION =
  /(?:^|[\s(["'“])(?:\p{Lu}|(?:\p{L}\.)+\p{L}|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|Gen|Col|Capt|Lt|Rev|Hon|vs|approx|cf|Fig|fig|No|Nos|Vol|vol|pp|Eq|Sec|sec|Ch|ch|Art|Inc|Ltd|Corp|Jan|Feb|Aug|Sept?|Oct|Nov|Dec|ca|bzw|Nr)\.$/u;

/** The number of a list item is no sentence of its own. */
const LIST_NUMBER = /^(?:[-*•]\s*)?\(?\d{1,3}[.)]$/;

/** Lines this long were broken to fit a page: the sentence goes on in the next. */
const WRAPPED = 45;

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** The sentences of a part of a text, without the white space around them. */
export function sentences(text: string, from = 0, to = text.length): readonly Span[] {
  const spans: { start: number; end: number }[] = [];
  const part = joinLines(text.slice(from, to));
  let joined = false;
  for (const { segment, index } of segmenter.segment(part)) {
    const start = from + index + (segment.length - segment.trimStart().length);
    const end = from + index + segment.trimEnd().length;
    if (end <= start) continue;
    const last = spans.at(-1);
    if (joined && last !== undefined) last.end = end;
    else spans.push({ start, end });
    const sentence = segment.trim();
    joined =
      !segment.endsWith("\n") && (LIST_NUMBER.test(sentence) || ABBREVIATION.test(sentence.slice(-24)));
  }
  return spans;
}

/** The same text with spaces for the line ends inside sentences; every place stays where it is. */
function joinLines(text: string): string {
  if (!text.includes("\n")) return text;
  let line = 0;
  return text.replace(/\n/g, (_end, at: number) => {
    const length = at - line;
    line = at + 1;
    const next = text.slice(at + 1, at + 4).trimStart();
    return length >= WRAPPED && /^[^\n\d\-*•#>|]/u.test(next) && text.charAt(at + 1) !== "\n" ? " " : "\n";
  });
}
