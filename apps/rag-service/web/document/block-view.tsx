import type { DocumentContent } from "../../src/api/schemas.ts";
import type { Block } from "./blocks.ts";
import { tableCells } from "./inline.ts";
import { MarkedTable, MarkedText } from "./marked-text.tsx";
import { hiddenIn } from "./marks.ts";

interface BlockViewProps {
  readonly content: DocumentContent;
  readonly block: Block;
  readonly from: number;
  readonly to: number;
  /** Headings as such, or, in a small place, as paragraphs that stand out. */
  readonly headings: boolean;
}

/** One block of a document: a heading, a table, an item of a list, a quotation, code or a paragraph. */
export function BlockView({ content: { text, mediaType }, block, from, to, headings }: BlockViewProps) {
  const markdown = mediaType.startsWith("text/markdown");
  const { start, end, level, item, quotation, code } = block;
  const piece = { text, start, end, from, to };
  if (code === true) {
    return (
      <pre className="code-block" tabIndex={0}>
        <MarkedText {...piece} markdown={false} />
      </pre>
    );
  }
  if (markdown && tableCells(text, start, end) !== undefined) return <MarkedTable {...piece} />;
  if (quotation === true) {
    return (
      <blockquote>
        <p>
          <MarkedText {...piece} markdown={markdown} hidden={hiddenIn(text, block, "quotation")} />
        </p>
      </blockquote>
    );
  }
  if (item !== undefined) {
    return (
      <p className="list-item" data-depth={item.depth}>
        <span className="list-mark">{item.mark}</span>{" "}
        <span>
          <MarkedText {...piece} markdown={markdown} hidden={hiddenIn(text, block, "item")} />
        </span>
      </p>
    );
  }
  const inside = <MarkedText {...piece} markdown={markdown} />;
  if (level === undefined) return <p>{inside}</p>;
  if (!headings) return <p className="passage-heading">{inside}</p>;
  if (level === 1) return <h2>{inside}</h2>;
  if (level === 2) return <h3>{inside}</h3>;
  return <h4>{inside}</h4>;
}
