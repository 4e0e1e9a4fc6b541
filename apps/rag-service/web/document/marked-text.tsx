import { Fragment } from "react";

import { inlineRuns, type Run, tableCells } from "./inline.ts";
import { type Range, without } from "./marks.ts";

interface MarkedTextProps {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** The marked range; empty when nothing is marked. */
  readonly from: number;
  readonly to: number;
  readonly markdown: boolean;
  /** Parts of the text that are signs, not words. */
  readonly hidden?: readonly Range[];
}

/** A piece of a document's text, with the part of it that lies within the range marked. */
export function MarkedText({ markdown, hidden = [], ...piece }: MarkedTextProps) {
  const shown = without(piece, hidden);
  const runs: readonly Run[] = markdown
    ? shown.flatMap(({ start, end }) => inlineRuns(piece.text, start, end))
    : shown;
  return runs.map(({ start, end, style: Tag = Fragment }) => (
    <Tag key={start}>
      <Marked {...piece} start={start} end={end} />
    </Tag>
  ));
}

/** A Markdown table as a table; `null` when the piece is none. */
export function MarkedTable({ text, start, end, from, to }: Omit<MarkedTextProps, "markdown" | "hidden">) {
  const [head, ...rows] = tableCells(text, start, end) ?? [];
  if (head === undefined) return null;
  const cell = (place: { start: number; end: number }) => (
    <MarkedText text={text} {...place} from={from} to={to} markdown />
  );
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label="Table">
      <table>
        <thead>
          <tr>
            {head.map((place) => (
              <th key={place.start} scope="col">
                {cell(place)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells) => (
            <tr key={cells[0]?.start}>
              {cells.map((place) => (
                <td key={place.start}>{cell(place)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Marked({ text, start, end, from, to }: Omit<MarkedTextProps, "markdown" | "hidden">) {
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
