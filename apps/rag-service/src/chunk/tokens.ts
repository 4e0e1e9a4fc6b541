/**
 * How many tokens a part of a text is, roughly: four Latin characters for one, one for each character of scripts that
 * tokenizers cut finely. An embedder's own counter decides where it matters.
 */
export function estimateTokens(text: string, start = 0, end = text.length): number {
  let quarters = 0;
  for (let at = start; at < end; at++) quarters += quartersOf(text.charCodeAt(at));
  return Math.ceil(quarters / 4);
}

/** The end of the longest part from `start` on that is estimated at no more than `limit` tokens. */
export function endWithin(text: string, start: number, end: number, limit: number): number {
  let quarters = 0;
  for (let at = start; at < end; at++) {
    quarters += quartersOf(text.charCodeAt(at));
    if (quarters > limit * 4) return at;
  }
  return end;
}

function quartersOf(unit: number): number {
  if (unit < 0x250) return 1;
  return unit < 0x1100 ? 2 : 4;
}
