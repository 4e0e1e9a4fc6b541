import type { DocumentContent } from "../../src/api/schemas.ts";
import { type Code, codesOf, itemsOf, quotationsOf, type Range } from "./marks.ts";

/** A piece of a document's text that is drawn as one: a paragraph, a heading, an item, or a part of a very long paragraph. */
export interface Block {
  readonly start: number;
  readonly end: number;
  /** How deep, for a heading: 1 is the highest. */
  readonly level?: number;
  /** The page that begins with this block. */
  readonly page?: number;
  /** An item of a list: what stands before it, and how deep it is. The signs in the text lie outside of the block. */
  readonly item?: { readonly mark: string; readonly depth: number };
  /** What somebody else said; the signs before its lines are not to be shown. */
  readonly quotation?: true;
  /** Code, to be shown as it stands. */
  readonly code?: true;
}

const LONGEST = 4_000;

/** The headings of a document and how deep they are, as its passages name them. */
export type Headings = ReadonlyMap<string, number>;

export function headingsOf(paths: Iterable<readonly string[]>): Headings {
  const headings = new Map<string, number>();
  for (const path of paths) for (const [depth, text] of path.entries()) headings.set(text.trim(), depth + 1);
  return headings;
}

/** Cuts a text at blank lines, headings and page breaks; every character that is not white space is in one block. */
export function blocksOf(
  { text, pages, mediaType }: Pick<DocumentContent, "text" | "pages" | "mediaType">,
  headings: Headings,
): readonly Block[] {
  const markdown = mediaType.startsWith("text/markdown");
  // Only texts that people type mark what they quote.
  const typed = markdown || mediaType.startsWith("text/plain");
  const codes = markdown ? codesOf(text) : [];
  const inCode = (at: number) => codes.some(({ start, end }) => at >= start && at < end);
  const cuts = new Set<number>([0]);
  for (const { charStart } of pages) cuts.add(charStart);
  for (const gap of text.matchAll(/\n[ \t]*\n\s*/g)) cuts.add(gap.index + gap[0].length);
  const levels = new Map<number, number>();
  for (const line of headings.size > 0 || markdown ? text.matchAll(/^.{1,200}$/gm) : []) {
    const signs = markdown ? (/^#{1,6}\s+/.exec(line[0])?.[0] ?? "") : "";
    const level = signs === "" ? headings.get(line[0].trim()) : signs.trim().length;
    if (level === undefined || inCode(line.index)) continue;
    // The signs of a heading are not shown; that it is one is seen.
    cuts
      .add(line.index)
      .add(line.index + signs.length)
      .add(line.index + line[0].length);
    levels.set(line.index + signs.length, level);
  }
  const items = new Map<number, NonNullable<Block["item"]>>();
  const signs = new Map<number, number>();
  for (const { line, start, mark, depth } of itemsOf(text, markdown)) {
    if (levels.has(line) || inCode(line)) continue;
    cuts.add(line).add(start);
    signs.set(line, start);
    items.set(start, { mark, depth });
  }
  const quotations = typed ? quotationsOf(text).filter(({ start }) => !inCode(start)) : [];
  for (const { start, end } of quotations) cuts.add(start).add(end);
  cutCodes(cuts, signs, codes);
  const bounds = [...cuts].filter((cut) => cut < text.length).toSorted((a, b) => a - b);

  const blocks: Block[] = [];
  const starts = pages.toSorted((a, b) => a.charStart - b.charStart);
  let nextPage = 0;
  for (const [index, from] of bounds.entries()) {
    const to = bounds[index + 1] ?? text.length;
    const level = levels.get(from);
    if (levels.has(to) && markdown && /^#{1,6}\s+$/.test(text.slice(from, to))) continue;
    if (signs.get(from) === to) continue;
    const item = items.get(from);
    const code = codes.some(({ inner }) => inner.start === from);
    const quotation = quotations.some(({ start }) => start === from);
    for (const [part, piece] of pieces(text, from, to, code).entries()) {
      let page: number | undefined;
      for (
        let at = starts[nextPage];
        at !== undefined && at.charStart <= piece.start;
        at = starts[nextPage]
      ) {
        page = at.page;
        nextPage++;
      }
      blocks.push({
        ...piece,
        ...(level === undefined ? {} : { level }),
        ...(page === undefined ? {} : { page }),
        ...(item === undefined ? {} : { item: part === 0 ? item : { ...item, mark: "" } }),
        ...(quotation ? { quotation } : {}),
        ...(code ? { code } : {}),
      });
    }
  }
  return blocks.map((block, index) =>
    looksLikeHeading(text, block, blocks[index + 1]) ? { ...block, level: 2 } : block,
  );
}

/** Not every heading begins a passage: a short line without an end mark over a paragraph is one, too. */
function looksLikeHeading(text: string, block: Block, next: Block | undefined): boolean {
  const { start, end, level, item, quotation, code } = block;
  if (level !== undefined || item !== undefined || quotation === true || code === true) return false;
  if (next === undefined || end - start > 80 || next.end - next.start < 80 || next.item !== undefined)
    return false;
  return /^[\p{Lu}\p{N}][^\n|]*[\p{L}\p{N})]$/u.test(text.slice(start, end));
}

/** Blocks joined into sections of about this many characters, the unit that the browser lays out when it is near. */
export function sectionsOf(blocks: readonly Block[], size = 6_000): readonly (readonly Block[])[] {
  const sections: Block[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const block of blocks) {
    if (length >= size) {
      sections.push([]);
      length = 0;
    }
    sections.at(-1)?.push(block);
    length += block.end - block.start;
  }
  return sections;
}

/** The blocks around a range: its own and what stands before and after, about `around` characters each way. */
export function blocksAround(
  blocks: readonly Block[],
  from: number,
  to: number,
  around: number,
): readonly Block[] {
  return blocks.filter(({ start, end }) => end > from - around && start < to + around);
}

/** Code is one block from fence to fence, whatever blank lines and signs are in it. */
function cutCodes(cuts: Set<number>, signs: Map<number, number>, codes: readonly Code[]): void {
  for (const { start, end, inner } of codes) {
    for (const cut of cuts) if (cut > start && cut < end) cuts.delete(cut);
    cuts.add(start).add(inner.start).add(inner.end).add(end);
    signs.set(start, inner.start);
    signs.set(inner.end, end);
  }
}

function pieces(text: string, from: number, to: number, code: boolean): readonly Range[] {
  const trimmed = text.slice(from, to).trimEnd();
  const lead = code ? 0 : trimmed.length - trimmed.trimStart().length;
  const end = from + trimmed.length;
  const found: { start: number; end: number }[] = [];
  let start = from + lead;
  while (end - start > LONGEST) {
    const slice = text.slice(start, start + LONGEST);
    const ends = [slice.lastIndexOf("\n") + 1, slice.lastIndexOf(". ") + 2];
    const cut = start + (ends.find((length) => length > LONGEST / 2) ?? LONGEST);
    found.push({ start, end: cut });
    start = cut;
  }
  if (start < end) found.push({ start, end });
  return found;
}
