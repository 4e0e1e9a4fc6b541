/** Where a text marks lists, quotations and code with signs of its own: the signs are not shown, what they say is. */
export interface Item {
  /** Where the line with the sign begins. */
  readonly line: number;
  /** Where the words begin. */
  readonly start: number;
  /** What stands before the words on the page. */
  readonly mark: string;
  /** 0 for the outermost list. */
  readonly depth: number;
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Code extends Range {
  /** The code without its fences. */
  readonly inner: Range;
}

const SIGN = /^([ \t]*)(?:([-*+•◦▪‣])|(\(?\d{1,3}[.)]))[ \t]+(?:\[([ xX])\][ \t]+)?(?=\S)/;
/** A line of nothing but signs divides a text, it lists nothing. */
const DIVIDER = /^[\s*+_-]+$/;

interface Candidate extends Item {
  /** Of a numbered item. */
  readonly number: number | undefined;
  /** Whether a list can begin here. */
  readonly begins: boolean;
  readonly end: number;
}

/** The items of all lists, in order. In Markdown a list may interrupt a paragraph, elsewhere that is a line's chance beginning. */
export function itemsOf(text: string, markdown: boolean): readonly Item[] {
  const candidates: Candidate[] = [];
  let before = "";
  for (const found of text.matchAll(/^.*$/gm)) {
    const [line] = found;
    const sign = DIVIDER.test(line) ? null : SIGN.exec(line);
    if (sign !== null) {
      const [all, indent = "", bullet, number, box] = sign;
      const task = box === " " ? "☐" : "☑";
      const words = bullet === undefined ? (number ?? "") : "•";
      candidates.push({
        line: found.index,
        start: found.index + all.length,
        end: found.index + line.length,
        mark: box === undefined ? words : task,
        depth: Math.min(3, Math.floor(indent.replaceAll("\t", "    ").length / 2)),
        number: number === undefined ? undefined : Number(/\d+/.exec(number)?.[0]),
        begins: before.trim() === "" || before.trimEnd().endsWith(":") || (markdown && bullet !== undefined),
      });
    }
    before = line;
  }
  const items: Candidate[] = [];
  for (const [index, candidate] of candidates.entries()) {
    const { number } = candidate;
    const former = items.at(-1);
    const follows = former !== undefined && gaps(text, former, candidate) === 0;
    if (!candidate.begins && !follows) continue;
    if (number !== undefined) {
      // Markdown allows any numbers below one another, and the same one each time.
      const inRow = [candidates[index - 1], candidates[index + 1]].some((other) => {
        if (other?.number === undefined) return false;
        const apart =
          other.line < candidate.line ? gaps(text, other, candidate) : gaps(text, candidate, other);
        return apart === 0 || (apart === 1 && Math.abs(other.number - number) <= 1);
      });
      // A number that stands for itself is the number of a heading, or a part of the sentence.
      if (!inRow) continue;
    }
    items.push(candidate);
  }
  return items;
}

/** Lines that quote somebody, as mail and Markdown mark them. */
export function quotationsOf(text: string): readonly Range[] {
  return [...text.matchAll(/^[ \t]*>.*(?:\n[ \t]*>.*)*/gm)].map(({ index, 0: all }) => ({
    start: index,
    end: index + all.length,
  }));
}

/** Fenced code of Markdown; a fence that is never closed reaches to the end. */
export function codesOf(text: string): readonly Code[] {
  return [
    ...text.matchAll(/^ {0,3}(`{3,}|~{3,})[^\n`]*\n([\s\S]*?)(?:^ {0,3}\1[`~]*[ \t]*$|(?![\s\S]))/gm),
  ].map(({ index, 0: all, 2: inner = "" }) => {
    const start = index + all.indexOf("\n") + 1;
    return { start: index, end: index + all.length, inner: { start, end: start + inner.trimEnd().length } };
  });
}

/** Signs inside a piece: those before each line of a quotation, or the indent of an item's further lines. */
export function hiddenIn(text: string, { start, end }: Range, signs: "quotation" | "item"): readonly Range[] {
  const pattern = signs === "quotation" ? /^[ \t]*(?:>[ \t]?)+/gm : /(?<=\n)[ \t]+/g;
  return [...text.slice(start, end).matchAll(pattern)].map(({ index, 0: all }) => ({
    start: start + index,
    end: start + index + all.length,
  }));
}

/** What is left of a piece without those ranges. */
export function without({ start, end }: Range, hidden: readonly Range[]): readonly Range[] {
  const shown: Range[] = [];
  let at = start;
  for (const range of hidden) {
    if (range.start > at) shown.push({ start: at, end: range.start });
    at = Math.max(at, range.end);
  }
  if (at < end) shown.push({ start: at, end });
  return shown;
}

/** Blank lines between two items. */
function gaps(text: string, { end }: Candidate, { line }: Candidate): number {
  return [...text.slice(end, line).matchAll(/\n[ \t]*(?=\n)/g)].length;
}
