import { ChevronLeft, ChevronRight, FileText, X } from "lucide-react";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";

import type { Citation, Hit } from "../../src/api/schemas.ts";
import { BlockView } from "../document/block-view.tsx";
import { blocksAround, blocksOf, headingsOf } from "../document/blocks.ts";
import { useContent } from "../document/contents.ts";
import { currentPlace, Link } from "../router.tsx";
import { Trouble } from "../shell/trouble.tsx";
import { shownTitle } from "../titles.ts";
import { documentAddress, placeOf, type Source } from "./sources.ts";

/** How much of the document is shown before and after the passage. */
const AROUND = 1_600;

interface SourcePanelProps {
  /** The passages that were found; their headings are known. */
  readonly hits: readonly Hit[];
  readonly sources: readonly Source[];
  readonly focused: Source;
  readonly walk: (step: number) => void;
  readonly close: () => void;
  /** Over the answer, not beside it. */
  readonly floating: boolean;
}

export function SourcePanel({ hits, sources, focused, walk, close, floating }: SourcePanelProps) {
  const { key, citation } = focused;
  const at = sources.findIndex((source) => source.key === key);
  const panel = useRef<HTMLElement>(null);
  const place = placeOf(citation);
  const { path } = currentPlace();
  useEffect(() => {
    if (floating) panel.current?.focus({ preventScroll: true });
  }, [floating, key]);
  // What opened it has the focus again when it is gone.
  const [opener] = useState(() => document.activeElement);
  useEffect(() => {
    const box = panel.current;
    return () => {
      const lost = box?.contains(document.activeElement) === true || document.activeElement === document.body;
      if (lost && opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
    };
  }, [opener]);

  return (
    <aside ref={panel} className="source-panel" data-floating={floating} aria-label="Source" tabIndex={-1}>
      <header>
        <div className="source-walk">
          <p className="quiet figures">
            Source {at + 1} of {sources.length}
          </p>
          <button
            type="button"
            className="icon-button"
            disabled={at <= 0}
            onClick={() => walk(-1)}
            title="Previous source  ["
          >
            <ChevronLeft className="icon" aria-hidden />
            <span className="sr-only">Previous source</span>
          </button>
          <button
            type="button"
            className="icon-button"
            disabled={at >= sources.length - 1}
            onClick={() => walk(1)}
            title="Next source  ]"
          >
            <ChevronRight className="icon" aria-hidden />
            <span className="sr-only">Next source</span>
          </button>
          <button type="button" className="icon-button" onClick={close} title="Close the source">
            <X className="icon" aria-hidden />
            <span className="sr-only">Close the source</span>
          </button>
        </div>
        <h2>
          {key.startsWith("c") && <span className="source-number figures">{citation.n}</span>}
          {shownTitle(citation.title)}
        </h2>
        {place !== "" && <p className="quiet">{place}</p>}
      </header>
      <Passage key={key} citation={citation} hits={hits} />
      <footer>
        <Link className="plain" href={documentAddress(citation, `${path}?source=${key}`)}>
          <FileText className="icon" aria-hidden />
          Open in the document
        </Link>
      </footer>
    </aside>
  );
}

function Passage({ citation, hits }: { readonly citation: Citation; readonly hits: readonly Hit[] }) {
  const { content, problem, again } = useContent(citation.documentId);
  const box = useRef<HTMLDivElement>(null);
  const { charStart: from, charEnd: to, headingPath } = citation;
  const changed = content !== undefined && content.text.slice(from, to) !== citation.quote;
  const blocks = useMemo(() => {
    if (content === undefined) return [];
    const nearby = hits
      .filter(({ documentId }) => documentId === content.documentId)
      .map((hit) => hit.headingPath);
    return blocksAround(blocksOf(content, headingsOf([headingPath, ...nearby])), from, to, AROUND);
  }, [content, headingPath, hits, from, to]);

  useLayoutEffect(() => {
    const frame = box.current;
    const mark = frame?.querySelector("mark");
    if (frame === null || mark === null || mark === undefined) return;
    const { top, height } = mark.getBoundingClientRect();
    const offset = top - frame.getBoundingClientRect().top + frame.scrollTop;
    frame.scrollTop = offset - Math.max(24, (frame.clientHeight - height) / 2);
  }, [blocks]);

  const whole = content !== undefined && !changed;
  return (
    <div ref={box} className="passage reading" tabIndex={0} role="group" aria-label="Passage">
      {problem !== undefined && content === undefined && <Trouble problem={problem} again={again} />}
      {changed && (
        <p className="quiet">The document has changed since this was written. This is how it was:</p>
      )}
      {!whole && (
        <p>
          <mark>{citation.quote}</mark>
        </p>
      )}
      {whole &&
        blocks.map((block) => (
          <BlockView key={block.start} content={content} block={block} from={from} to={to} headings={false} />
        ))}
    </div>
  );
}
