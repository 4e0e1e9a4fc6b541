import "./document.css";
import { ArrowLeft, Crosshair } from "lucide-react";
import {
  Fragment,
  memo,
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";

import type { Document, DocumentContent } from "../../src/api/schemas.ts";
import { listChunks, readDocument } from "../api/service.ts";
import { ago, bytes, count, counted, exactTime } from "../figures.ts";
import { Link, usePlace } from "../router.tsx";
import { Trouble } from "../shell/trouble.tsx";
import { shownTitle } from "../titles.ts";
import { BlockView } from "./block-view.tsx";
import { blocksOf, type Headings, headingsOf, sectionsOf } from "./blocks.ts";
import { useContent } from "./contents.ts";

export function DocumentPage({ id }: { readonly id: string }) {
  const { query } = usePlace();
  const { content, problem, again } = useContent(id);
  const document = useDocument(id);
  const headings = useHeadings(id);
  const from = Number(query.get("from") ?? Number.NaN);
  const to = Number(query.get("to") ?? Number.NaN);
  const marked = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && to > from;
  const back = query.get("back") ?? "";
  const text = useRef<HTMLDivElement>(null);

  const toPassage = useCallback(() => {
    text.current?.querySelector("mark")?.scrollIntoView({ block: "center" });
  }, []);
  useLayoutEffect(() => {
    if (content === undefined || !marked) return undefined;
    toPassage();
    // Parts that are laid out only when they come near have guessed heights: look again once they have real ones.
    const frame = requestAnimationFrame(toPassage);
    return () => cancelAnimationFrame(frame);
  }, [content, marked, from, to, toPassage]);

  return (
    <div className="page document">
      <nav className="document-back" aria-label="Back">
        {back.startsWith("/ask/") ? (
          <Link href={back} className="plain">
            <ArrowLeft className="icon" aria-hidden />
            <span>
              <span className="wide-word">Back to the answer</span>
              <span className="narrow-word">Answer</span>
            </span>
          </Link>
        ) : (
          <Link href="/library" className="plain">
            <ArrowLeft className="icon" aria-hidden />
            Library
          </Link>
        )}
        {content !== undefined && content.pages.length > 1 && <PageJump content={content} frame={text} />}
        {marked && content !== undefined && (
          <button type="button" className="plain" onClick={toPassage}>
            <Crosshair className="icon" aria-hidden />
            To the passage
          </button>
        )}
      </nav>
      {problem !== undefined && content === undefined && <Trouble problem={problem} again={again} />}
      {content === undefined && problem === undefined && <p className="quiet">Opening the document</p>}
      {content !== undefined && (
        <>
          <header className="document-head">
            <h1 className="page-title">{shownTitle(content.title)}</h1>
            <DocumentFacts content={content} document={document} />
          </header>
          <div ref={text} className="document-text reading">
            <DocumentText
              content={content}
              headings={headings}
              from={marked ? from : -1}
              to={marked ? to : -1}
            />
          </div>
        </>
      )}
    </div>
  );
}

function DocumentFacts({ content, document }: { content: DocumentContent; document: Document | undefined }) {
  const facts = [
    document !== undefined && document.name !== content.title ? document.name : undefined,
    kindOf(content.mediaType),
    content.pages.length > 1 ? counted(content.pages.length, "page") : undefined,
    `${count(content.text.length)} characters`,
    document?.bytes === undefined ? undefined : bytes(document.bytes),
  ].filter((fact) => fact !== undefined);
  return (
    <p className="quiet figures">
      {facts.join(" · ")}
      {document !== undefined && (
        <>
          {" · added "}
          <time dateTime={document.createdAt} title={exactTime(document.createdAt)}>
            {ago(document.createdAt)}
          </time>
        </>
      )}
    </p>
  );
}

interface DocumentTextProps {
  readonly content: DocumentContent;
  readonly headings: Headings;
  readonly from: number;
  readonly to: number;
}

const DocumentText = memo(function DocumentText({ content, headings, from, to }: DocumentTextProps) {
  const sections = useMemo(() => {
    const [first, ...rest] = blocksOf(content, headings);
    if (first === undefined) return [];
    // The title stands above the text already.
    const repeated = content.text.slice(first.start, first.end) === content.title;
    if (!repeated || (from >= 0 && from < first.end)) return sectionsOf([first, ...rest]);
    const [second, ...others] = rest;
    if (second === undefined) return [];
    const page = second.page ?? first.page;
    return sectionsOf([page === undefined ? second : { ...second, page }, ...others]);
  }, [content, headings, from]);
  if (sections.length === 0) return <p className="quiet">This document has no text.</p>;
  const paged = content.pages.length > 1;
  return sections.map((blocks) => (
    <section key={blocks[0]?.start}>
      {blocks.map((block) => (
        <Fragment key={block.start}>
          {paged && block.page !== undefined && (
            <p className="page-mark figures" id={`page-${block.page}`}>
              Page {block.page}
            </p>
          )}
          <BlockView content={content} block={block} from={from} to={to} headings />
        </Fragment>
      ))}
    </section>
  ));
});

function PageJump({ content, frame }: { content: DocumentContent; frame: RefObject<HTMLElement | null> }) {
  function go(page: string): void {
    const mark = frame.current?.querySelector(`#page-${CSS.escape(page)}`);
    mark?.scrollIntoView({ block: "start" });
    requestAnimationFrame(() => mark?.scrollIntoView({ block: "start" }));
  }
  return (
    <label className="page-jump quiet">
      <span className="page-jump-word">Go to </span>page{" "}
      <select defaultValue="" onChange={(event) => go(event.target.value)}>
        <option value="" disabled>
          –
        </option>
        {content.pages.map(({ page }) => (
          <option key={page}>{page}</option>
        ))}
      </select>
    </label>
  );
}

function useDocument(id: string): Document | undefined {
  const [document, setDocument] = useState<Document>();
  useEffect(() => {
    const aborter = new AbortController();
    // What it says is decoration; that the text cannot be read is said by the text.
    readDocument(id, aborter.signal).then(setDocument, () => undefined);
    return () => aborter.abort();
  }, [id]);
  return document?.id === id ? document : undefined;
}

const noHeadings: Headings = new Map();

/** The headings come with the passages; until they are there, and without them, the text stands without. */
function useHeadings(id: string): Headings {
  const [found, setFound] = useState<{ id: string; headings: Headings }>();
  useEffect(() => {
    const aborter = new AbortController();
    listChunks(id, aborter.signal).then(
      (chunks) => setFound({ id, headings: headingsOf(chunks.map(({ headingPath }) => headingPath)) }),
      () => undefined,
    );
    return () => aborter.abort();
  }, [id]);
  return found?.id === id ? found.headings : noHeadings;
}

const kinds: Readonly<Record<string, string>> = {
  "text/plain": "Text",
  "text/markdown": "Markdown",
  "text/html": "HTML",
  "application/pdf": "PDF",
};

function kindOf(mediaType: string): string {
  return kinds[mediaType.split(";")[0] ?? ""] ?? mediaType;
}
