/** A run of a text that is shown in one way. Signs of Markdown lie between the runs and are not shown. */
export interface Run {
  readonly start: number;
  readonly end: number;
  readonly style?: "strong" | "em" | "code";
}

const styles = { "**": "strong", __: "strong", "*": "em", "`": "code" } as const;

/** The runs of a piece of Markdown, by their places in the text, so that a marked passage stays where it is. */
export function inlineRuns(text: string, start: number, end: number): readonly Run[] {
  const piece = text.slice(start, end);
  const runs: Run[] = [];
  let at = 0;
  for (const found of piece.matchAll(/(\*\*|__|`|(?<![\w*])\*(?!\*))(?=\S)([^\n]*?\S)\1(?![*`])/g)) {
    const sign = found[1] as keyof typeof styles;
    const inner = found.index + sign.length;
    if (found.index > at) runs.push({ start: start + at, end: start + found.index });
    runs.push({ start: start + inner, end: start + inner + (found[2]?.length ?? 0), style: styles[sign] });
    at = found.index + found[0].length;
  }
  if (at < piece.length) runs.push({ start: start + at, end });
  return runs;
}

export interface Cell {
  readonly start: number;
  readonly end: number;
}

/** The cells of a Markdown table, row by row; `undefined` when the piece is none. */
export function tableCells(
  text: string,
  start: number,
  end: number,
): readonly (readonly Cell[])[] | undefined {
  const rows: (readonly Cell[])[] = [];
  let lineStart = start;
  for (const line of text.slice(start, end).split("\n")) {
    if (!/^\s*\|.*\|\s*$/.test(line)) return undefined;
    if (!/^[\s|:-]+$/.test(line)) rows.push(cellsOf(line, lineStart));
    lineStart += line.length + 1;
  }
  return rows.length > 1 ? rows : undefined;
}

function cellsOf(line: string, lineStart: number): readonly Cell[] {
  const bars = [...line.matchAll(/(?<!\\)\|/g)].map(({ index }) => index);
  return bars.slice(0, -1).map((bar, index) => {
    const inner = line.slice(bar + 1, bars[index + 1]);
    const lead = inner.length - inner.trimStart().length;
    const start = lineStart + bar + 1 + lead;
    return { start, end: start + inner.trim().length };
  });
}

/** A quote as it is read: without the signs of lists and quotations, and of Markdown when it is from such a document. */
export function readable(quote: string, name: string): string {
  const unquoted = quote.trim().replaceAll(/^[ \t]*(?:>[ \t]?)+/gm, "");
  const first = unquoted.replace(/^(?:[-*+•◦▪‣]|\(?\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(?=\S)/, "");
  const line = first.replaceAll(/\n[ \t]*[-*+•◦▪‣][ \t]+(?=\S)/g, " • ");
  if (!/\.(?:md|markdown)$/i.test(name)) return line;
  const words = line.replace(/^#{1,6}\s+/, "");
  const plain = inlineRuns(words, 0, words.length)
    .map(({ start, end }) => words.slice(start, end))
    .join("");
  return /^\|.*\|$/.test(plain)
    ? plain
        .slice(1, -1)
        .trim()
        .replaceAll(/\s*\|\s*/g, " · ")
    : plain;
}
