/** A part of a text by UTF-16 offsets. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** After these a full stop ends no sentence. */
const ABBREVIATION =
  /(?:^|[\s(["'“])(?:\p{L}|(?:[a-z]\.)+[a-z]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|Gen|Col|Capt|Lt|Rev|Hon|vs|etc|approx|cf|al|Fig|fig|No|no|Nos|Vol|vol|pp|Eq|eq|Sec|sec|Ch|ch|Art|Inc|Ltd|Co|Corp|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|ca|z\.B|bzw|usw|Nr)\.$/u;

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** The sentences of a part of a text, without the white space around them. */
export function sentences(text: string, from = 0, to = text.length): readonly Span[] {
  const spans: { start: number; end: number }[] = [];
  const part = text.slice(from, to);
  let joined = false;
  for (const { segment, index } of segmenter.segment(part)) {
    const start = from + index + (segment.length - segment.trimStart().length);
    const end = from + index + segment.trimEnd().length;
    if (end <= start) continue;
    const last = spans.at(-1);
    if (joined && last !== undefined) last.end = end;
    else spans.push({ start, end });
    joined =
      endsInAbbreviation(text.slice(Math.max(from, end - 24), end)) &&
      !/\n/.test(segment.slice(segment.trimEnd().length));
  }
  return spans;
}

export function endsInAbbreviation(text: string): boolean {
  return ABBREVIATION.test(text);
}
