import type { Block } from "./blocks.ts";

interface MarkedTextProps {
  readonly text: string;
  readonly block: Block;
  readonly from: number;
  readonly to: number;
}

/** The text of one block, with the part of it that lies within the range marked. */
export function MarkedText({ text, block: { start, end }, from, to }: MarkedTextProps) {
  const first = Math.max(start, from);
  const last = Math.min(end, to);
  if (first >= last) return text.slice(start, end);
  return (
    <>
      {text.slice(start, first)}
      <mark>{text.slice(first, last)}</mark>
      {text.slice(last, end)}
    </>
  );
}
