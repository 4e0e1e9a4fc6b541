import { FileText } from "lucide-react";
import { useState } from "react";

import type { Citation } from "../../src/api/schemas.ts";
import { readable } from "../document/inline.ts";
import { duration } from "../figures.ts";
import { useMedia } from "../shell/use-media.ts";
import { shownTitle } from "../titles.ts";
import type { LiveRun } from "./run-reducer.ts";
import { findSource, placeOf } from "./sources.ts";

interface QuotesProps {
  readonly run: LiveRun;
  readonly focusedKey: string | undefined;
  readonly focusSource: (key: string) => void;
}

/** What the documents themselves say: there before the first word of any model, and the whole answer without one. */
export function Quotes({ run, focusedKey, focusSource }: QuotesProps) {
  const [all, showAll] = useState(false);
  const quoteOnly = run.mode === "quote";
  const narrow = useMedia("(max-width: 640px)");
  const shown = quoteOnly || all ? run.quotes : run.quotes.slice(0, narrow ? 2 : 3);
  const hidden = run.quotes.length - shown.length;
  const { retrievalMs } = run.timings;
  return (
    <section className="quotes" aria-label="Quotes">
      <header className="section-head">
        <h2>In your documents</h2>
        <p className="quiet figures">
          <span className="figure">{quoteOnly ? "Word for word, no model wrote this" : "Word for word"}</span>
          {retrievalMs !== undefined && <span className="figure">found in {duration(retrievalMs)}</span>}
        </p>
      </header>
      <ol>
        {shown.map((quote, index) => {
          const key = `q${index + 1}`;
          const lit = focusedKey !== undefined && findSource(run, key)?.key === focusedKey;
          return (
            <li key={key}>
              <QuoteButton quote={quote} lit={lit} best={index === 0} open={() => focusSource(key)} />
            </li>
          );
        })}
      </ol>
      {hidden > 0 && (
        <button type="button" className="plain" onClick={() => showAll(true)}>
          Show {hidden} more
        </button>
      )}
    </section>
  );
}

interface QuoteButtonProps {
  readonly quote: Citation;
  readonly lit: boolean;
  readonly best: boolean;
  readonly open: () => void;
}

function QuoteButton({ quote, lit, best, open }: QuoteButtonProps) {
  const place = placeOf(quote);
  return (
    <button type="button" className="quote" data-best={best} aria-pressed={lit} onClick={open}>
      <span className="quote-text">{readable(quote.quote, quote.name)}</span>
      <span className="quote-place">
        <FileText className="icon" aria-hidden />
        <span className="quote-title">{shownTitle(quote.title)}</span>
        {place !== "" && <span className="quote-where">{place}</span>}
      </span>
    </button>
  );
}
