import { decode } from "./charset.ts";
import type { Block, Extracted } from "./extracted.ts";

/** Plain text: paragraphs are what stands between blank lines. */
export function extractText(bytes: Uint8Array): Extracted {
  const { text, warnings } = decode(bytes);
  return {
    text,
    blocks: paragraphs(text, 0, text.length),
    pages: undefined,
    title: undefined,
    mediaType: "text/plain",
    warnings,
  };
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
