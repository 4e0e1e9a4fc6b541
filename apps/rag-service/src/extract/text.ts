import { decode } from "./charset.ts";
import type { Block, Extracted } from "./extracted.ts";
import { headingText } from "./heading.ts";

/** Plain text: paragraphs are what stands between blank lines. */
export function extractText(bytes: Uint8Array): Extracted {
  const { text, warnings } = decode(bytes);
  const blocks = paragraphs(text, 0, text.length).map((block): Block => {
    const level = headingLevel(text.slice(block.start, block.end));
    return level === undefined ? block : { ...block, kind: "heading", level };
  });
  const [first] = blocks;
  const title = first?.level === 1 ? headingText(text.slice(first.start, first.end)) : undefined;
  return { text, blocks, pages: undefined, title, mediaType: "text/plain", warnings };
}

/** Plain text marks its headings by underlining, capitals or numbers, on a line of their own. */
function headingLevel(paragraph: string): number | undefined {
  const underlined = /^[^\n]{1,100}\n([=-])\1{2,}\s*$/.exec(paragraph);
  if (underlined !== null) return underlined[1] === "=" ? 1 : 2;
  if (paragraph.length > 80 || paragraph.includes("\n") || /[.!?:;,]$/.test(paragraph)) return undefined;
  const number = /^(?:chapter |section |part )?(\d{1,2}(?:\.\d{1,2})*)[.):]?\s+\p{Lu}/iu.exec(paragraph)?.[1];
  if (number !== undefined) return 1 + number.split(".").length;
  return /\p{Lu}{2}/u.test(paragraph) && paragraph === paragraph.toUpperCase() ? 1 : undefined;
}

export function paragraphs(text: string, from: number, to: number): Block[] {
  const blocks: Block[] = [];
  const gap = /\n[ \t\f\v]*\n\s*/g;
  gap.lastIndex = from;
  let start = from;
  for (let found = gap.exec(text); found !== null && found.index < to; found = gap.exec(text)) {
    add(start, found.index);
    start = gap.lastIndex;
  }
  add(start, to);
  return blocks;

  function add(begin: number, end: number): void {
    while (begin < end && /\s/.test(text.charAt(begin))) begin++;
    while (end > begin && /\s/.test(text.charAt(end - 1))) end--;
    if (end > begin) blocks.push({ start: begin, end, kind: "paragraph" });
  }
}
