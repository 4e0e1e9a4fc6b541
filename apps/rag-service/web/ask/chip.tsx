import { useEffect, useId, useRef, useState } from "react";
import { createPortal } from "react-dom";

import type { Citation } from "../../src/api/schemas.ts";
import { readable } from "../document/inline.ts";
import { currentPlace } from "../router.tsx";
import { shownTitle } from "../titles.ts";
import { placeOf } from "./sources.ts";

interface ChipProps {
  readonly n: number;
  readonly citation: Citation;
  readonly lit: boolean;
  readonly open: () => void;
}

/** The number of a source at the end of the sentence that it supports. Pointing at it shows the quote. */
export function Chip({ n, citation, lit, open }: ChipProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const [shown, show] = useState(false);
  const place = placeOf(citation);

  // Whoever walks the sources, or opens one over the text, still sees what it belongs to.
  useEffect(() => {
    if (lit && currentPlace().query.has("source")) button.current?.scrollIntoView({ block: "nearest" });
  }, [lit]);

  function position(card: HTMLElement | null): void {
    const chip = button.current?.getBoundingClientRect();
    if (card === null || chip === undefined) return;
    const { width, height } = card.getBoundingClientRect();
    const column = button.current?.closest(".ask-column")?.getBoundingClientRect().left ?? 0;
    const left = Math.min(Math.max(column + 8, chip.left - width / 2), innerWidth - width - 8);
    const above = chip.top - height - 8;
    card.style.left = `${left}px`;
    card.style.top = `${above < 8 ? chip.bottom + 8 : above}px`;
  }

  return (
    <>
      <button
        ref={button}
        type="button"
        className="chip figures"
        aria-pressed={lit}
        aria-label={`Source ${n}: ${shownTitle(citation.title)}`}
        aria-describedby={shown ? id : undefined}
        onClick={() => {
          show(false);
          open();
        }}
        onPointerEnter={(event) => show(event.pointerType === "mouse")}
        onPointerLeave={() => show(false)}
        onFocus={(event) => show(event.currentTarget.matches(":focus-visible"))}
        onBlur={() => show(false)}
      >
        {n}
      </button>
      {shown &&
        createPortal(
          <div ref={position} id={id} role="tooltip" className="quote-card">
            <p className="reading">{readable(citation.quote, citation.name)}</p>
            <p className="quiet">
              {shownTitle(citation.title)}
              {place !== "" && ` · ${place}`}
            </p>
          </div>,
          document.body,
        )}
    </>
  );
}
