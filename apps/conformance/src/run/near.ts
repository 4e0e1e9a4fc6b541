/** Those of `known` that `word` may have meant, the nearest first. */
export function near(word: string, known: readonly string[]): readonly string[] {
  const wanted = word.toLowerCase();
  return known
    .map((one) => ({ one, apart: distance(wanted, one.toLowerCase()) }))
    .filter(({ one, apart }) => apart <= Math.max(1, Math.floor(one.length / 3)))
    .toSorted((left, right) => left.apart - right.apart)
    .slice(0, 3)
    .map(({ one }) => one);
}

/** How many letters must be put in, taken out or changed. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [index, letter] of left.split("").entries()) {
    const next = [index + 1];
    for (const [column, other] of right.split("").entries()) {
      const changed = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
