import { type ComponentProps, createContext, memo, useContext, useDeferredValue, useMemo } from "react";
import Markdown, { type Components, type Options } from "react-markdown";
import remarkGfm from "remark-gfm";

import { closeMarks, remarkSentences } from "./answer-text.ts";
import { Chip } from "./chip.tsx";
import { CopyButton } from "./copy-button.tsx";
import type { LiveRun } from "./run-reducer.ts";
import { findSource, keyOfNumber } from "./sources.ts";

interface AnswerBodyProps {
  readonly run: LiveRun;
  readonly focusedKey: string | undefined;
  readonly focusSource: (key: string) => void;
}

interface Sources extends AnswerBodyProps {
  readonly sentences: LiveRun["sentences"];
}

/** What the numbers in the text stand for. By a context, so that the text's parts stay the same while this changes. */
const SourcesContext = createContext<Sources | undefined>(undefined);

const components: Components = {
  a: SafeLink,
  img: ({ alt, src }) => <span>{alt === undefined || alt === "" ? String(src) : alt}</span>,
  pre: CodeBlock,
  table: ({ node: _, ...table }) => (
    <div className="table-scroll" tabIndex={0} role="group" aria-label="Table">
      <table {...table} />
    </div>
  ),
  sup: SourceNumber,
};

/** What the model wrote, as Markdown: no raw HTML, no images, and links that show where they lead. */
export const AnswerBody = memo(function AnswerBody({ run, focusedKey, focusSource }: AnswerBodyProps) {
  const answer = useDeferredValue(run.answer);
  const { sentences, status } = run;
  const text = status === "running" ? closeMarks(answer) : answer;
  const plugins = useMemo<Options["remarkPlugins"]>(
    () => [remarkGfm, remarkSentences(answer, sentences)],
    [answer, sentences],
  );
  const sources = useMemo(
    () => ({ run, sentences, focusedKey, focusSource }),
    [run, sentences, focusedKey, focusSource],
  );
  const doubtful = sentences.some(({ supported }) => supported === false);
  return (
    <>
      <SourcesContext value={sources}>
        <div className="reading answer-body">
          <Markdown remarkPlugins={plugins ?? null} components={components} skipHtml>
            {text}
          </Markdown>
        </div>
      </SourcesContext>
      {doubtful && (
        <p className="legend quiet">
          <span className="unsupported">Dotted</span>: not found in your documents.
        </p>
      )}
    </>
  );
});

/** The plugin marks places with `sup`: the number of a source, or the note that there is none. */
function SourceNumber({
  node,
  children,
}: ComponentProps<"sup"> & { node?: { properties: object } | undefined }) {
  const sources = useContext(SourcesContext);
  const { n, at, note }: Record<string, unknown> = { ...node?.properties };
  if (note !== undefined) return <span className="sr-only"> (not found in your documents)</span>;
  const sentence = sources?.sentences[Number(at)];
  if (sources === undefined || n === undefined || sentence === undefined) return <sup>{children}</sup>;
  const { run, focusedKey, focusSource } = sources;
  const key = keyOfNumber(run, sentence, Number(n));
  const citation = run.citations[Number(key.slice(1)) - 1];
  if (citation === undefined) return null;
  const lit = focusedKey !== undefined && findSource(run, key)?.key === focusedKey;
  return <Chip n={Number(n)} citation={citation} lit={lit} open={() => focusSource(key)} />;
}

function SafeLink({ href, children }: ComponentProps<"a">) {
  if (href === undefined || !/^https?:/.test(href)) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
      {children !== href && <span className="link-target"> ({href})</span>}
    </a>
  );
}

function CodeBlock({ children, node }: ComponentProps<"pre"> & { node?: unknown }) {
  const text = textOf(node);
  return (
    <div className="code">
      <CopyButton label="Copy code" text={() => text} />
      <pre tabIndex={0}>{children}</pre>
    </div>
  );
}

function textOf(node: unknown): string {
  if (typeof node !== "object" || node === null) return "";
  if ("value" in node && typeof node.value === "string") return node.value;
  return "children" in node && Array.isArray(node.children) ? node.children.map(textOf).join("") : "";
}
