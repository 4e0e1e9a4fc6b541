import type { DocumentContent } from "../../src/api/schemas.ts";
import type { Block } from "./blocks.ts";
import { tableCells } from "./inline.ts";
import { MarkedTable, MarkedText } from "./marked-text.tsx";

interface BlockViewProps {
  readonly content: DocumentContent;
  readonly block: Block;
  readonly from: number;
  readonly to: number;
  /** Headings as such, or, in a small place, as paragraphs that stand out. */
  readonly headings: boolean;
}

/** One block of a document: a heading, a table or a paragraph. */
export function BlockView({ content: { text, mediaType }, block, from, to, headings }: BlockViewProps) {
  const markdown = mediaType.startsWith("text/markdown");
  const { start, end, level } = block;
  const piece = { text, start, end, from, to };
  if (markdown && tableCells(text, start, end) !== undefined) return <MarkedTable {...piece} />;
  const inside = <MarkedText {...piece} markdown={markdown} />;
  if (level === undefined) return <p>{inside}</p>;
  if (!headings) return <p className="passage-heading">{inside}</p>;
  if (level === 1) return <h2>{inside}</h2>;
  if (level === 2) return <h3>{inside}</h3>;
  return <h4>{inside}</h4>;
}
