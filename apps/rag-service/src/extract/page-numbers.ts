/** Numbers of pages, printed at the top or the bottom of each: no part of what a document says. */
export interface PrintedLine {
  readonly text: string;
  readonly y: number;
  readonly height: number;
}

/** A number alone, with dashes or bars around it, or as in "Page 3 of 9", "3 / 9", "Seite 3 von 9". */
const NUMBER =
  /^(?:(?:page|pages?:|p\.|pg\.?|seite|s\.|página|pagina|sivu|sida|side|strona)\s*)?[-–—|·[(]?\s*(\d{1,4})\s*(?:(?:of|von|de|di|sur|av|z|\/|\|)\s*\d{1,4}\s*)?[-–—|·\])]?$/iu;

interface Found<Line> {
  readonly line: Line;
  readonly page: number;
}

/**
 * The lines of all pages without their page numbers. A number is one only when it counts along with the pages, at the
 * same edge, on three pages or on half of them: a figure that merely stands last on its page is kept.
 */
export function withoutPageNumbers<Line extends PrintedLine>(
  pages: readonly (readonly Line[])[],
): readonly (readonly Line[])[] {
  const groups = new Map<string, Found<Line>[]>();
  for (const [page, lines] of pages.entries()) {
    for (const [edge, line] of edgesOf(lines)) {
      const number = NUMBER.exec(line.text)?.[1];
      if (number === undefined) continue;
      const key = `${edge} ${Number(number) - page} ${line.text.replaceAll(/\d+/g, "#")}`;
      groups.set(key, [...(groups.get(key) ?? []), { line, page }]);
    }
  }
  const written = pages.filter((lines) => lines.length > 0).length;
  const dropped = new Set<Line>();
  for (const found of groups.values()) {
    const on = new Set(found.map(({ page }) => page)).size;
    if (on >= 3 || (on === 2 && on * 2 >= written)) for (const { line } of found) dropped.add(line);
  }
  return pages.map((lines) => lines.filter((line) => !dropped.has(line)));
}

/** The highest and the lowest line. A large number above is the number of a chapter. */
function edgesOf<Line extends PrintedLine>(lines: readonly Line[]): readonly (readonly [string, Line])[] {
  const sorted = lines.toSorted((a, b) => b.y - a.y);
  const [top] = sorted;
  const bottom = sorted.at(-1);
  if (top === undefined || bottom === undefined) return [];
  const usual =
    lines.map(({ height }) => height).toSorted((a, b) => a - b)[Math.floor(lines.length / 2)] ?? 0;
  const above = top !== bottom && top.height <= usual * 1.1 ? [["top", top] as const] : [];
  return [...above, ["bottom", bottom] as const];
}
