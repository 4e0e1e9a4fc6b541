const small = new Set(
  "a an and as at but by for from in into nor of on or over per the to under upon with".split(" "),
);

/** A title that shouts is shown as a title; any other is shown as it is. The document itself keeps its letters. */
export function shownTitle(title: string): string {
  const words = title.split(" ");
  const shouts = title === title.toUpperCase() && words.filter((word) => /\p{Lu}{4}/u.test(word)).length > 1;
  if (!shouts) return title;
  return words.map((word, at) => lowered(word, at > 0 && !/[:.]$/.test(words[at - 1] ?? ""))).join(" ");
}

function lowered(word: string, inside: boolean): string {
  const lower = word.toLowerCase();
  if (small.has(lower)) return inside ? lower : capital(lower);
  // HC-40, USB: letters and figures that mean something as they stand.
  if (/\d/.test(word) || word.replaceAll(/[^\p{L}]/gu, "").length < 4) return word;
  return lower.replaceAll(/\p{L}[\p{L}'’]*/gu, capital);
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
