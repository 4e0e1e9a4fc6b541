import { ArrowDown, Info, RotateCw } from "lucide-react";
import { useRef } from "react";

import type { Notice } from "../../src/api/schemas.ts";
import { counted } from "../figures.ts";
import { Link } from "../router.tsx";
import { Trouble } from "../shell/trouble.tsx";
import { AnswerBody } from "./answer-body.tsx";
import { CopyButton } from "./copy-button.tsx";
import { Figures } from "./figures-line.tsx";
import { Quotes } from "./quotes.tsx";
import type { LiveRun } from "./run-reducer.ts";
import { useFollow } from "./use-follow.ts";
import { Waiting } from "./waiting.tsx";

export interface AnswerProps {
  readonly run: LiveRun;
  readonly focusedKey: string | undefined;
  readonly focusSource: (key: string) => void;
  readonly again: () => void;
}

/** Notices about how the answer ended stand where it ends; the others are to be read before it. */
const after: ReadonlySet<Notice["code"]> = new Set(["answer-cut", "warning"]);

export function Answer({ run, focusedKey, focusSource, again }: AnswerProps) {
  const running = run.status === "running";
  const end = useRef<HTMLDivElement>(null);
  const { away, toEnd } = useFollow(end, running, run.answer.length);
  const asked = run.attempts.length > 0 && run.mode === "generate";
  const written = run.answer.trim() !== "" && run.mode === "generate";

  return (
    <>
      <p className="sr-only" role="status">
        {announcement(run)}
      </p>
      {run.quotes.length > 0 && <Quotes run={run} focusedKey={focusedKey} focusSource={focusSource} />}
      <section className="answer" aria-label="Answer" aria-busy={running}>
        {(written || asked) && <AnswerHead run={run} />}
        {run.notices
          .filter(({ code }) => !after.has(code))
          .map((notice) => (
            <aside key={notice.code + notice.message} className="notice" aria-label="Notice">
              <Info className="icon" aria-hidden />
              <p>
                {notice.message} {notice.hint !== undefined && <span className="quiet">{notice.hint}</span>}{" "}
                {notice.code === "no-documents" && <Link href="/library">Add documents</Link>}
                {notice.code === "no-model" && <Link href="/models">Get a model</Link>}
              </p>
            </aside>
          ))}
        {written && <AnswerBody run={run} focusedKey={focusedKey} focusSource={focusSource} />}
        {running && <Waiting run={run} />}
        {run.status === "completed" && asked && !written && (
          <p className="stopped">The model wrote nothing.</p>
        )}
        {run.notices
          .filter(({ code }) => after.has(code))
          .map(({ message, hint }) => (
            <p key={message} className="stopped">
              {message} {hint}
            </p>
          ))}
        {run.status === "cancelled" && (
          <p className="stopped">{run.answer === "" ? "Stopped before the first word." : "Stopped here."}</p>
        )}
        {run.error !== undefined && (
          <Trouble problem={run.error} again={again}>
            {run.error.code.startsWith("model") && <Link href="/models">See the models</Link>}
          </Trouble>
        )}
        {!running && run.error === undefined && (
          <div className="answer-deeds">
            {written && <CopyButton label="Copy answer" text={() => copyText(run)} />}
            <button type="button" className="plain" onClick={again}>
              <RotateCw className="icon" aria-hidden />
              Try again
            </button>
          </div>
        )}
        {(run.attempts.length > 0 || run.hits.length > 0) && <Figures run={run} />}
      </section>
      <div ref={end} />
      {running && away && (
        <button type="button" className="button small to-end" onClick={toEnd}>
          <ArrowDown className="icon" aria-hidden />
          To the end
        </button>
      )}
    </>
  );
}

function AnswerHead({ run }: { readonly run: LiveRun }) {
  const attempt = run.attempts.at(-1);
  const demonstration = run.model?.demonstration ?? attempt?.demonstration ?? false;
  const name = run.model?.ref ?? (attempt === undefined ? "" : `${attempt.providerId}/${attempt.model}`);
  return (
    <header className="section-head">
      <h2>
        Written by <span className="model-name">{name}</span>
      </h2>
      {/* There from the beginning, so that the text below does not jump when the first sentence is checked. */}
      <p className="quiet figures">{checkText(run)}</p>
      {demonstration && (
        <p className="demonstration">
          Demonstration model: knows nothing, shows how answers with sources work.{" "}
          <Link href="/models">Get a model</Link>
        </p>
      )}
    </header>
  );
}

function checkText({ sentences, status }: LiveRun): string {
  const checked = sentences.filter(({ supported }) => supported !== undefined);
  const found = checked.filter(({ supported }) => supported === true).length;
  if (checked.length > 0) return `${found} of ${counted(checked.length, "sentence")} found in your documents`;
  return status === "running" ? "Each sentence is checked" : "No sentence to check";
}

/** Said to those who listen: that it began, and how it ended. */
function announcement(run: LiveRun): string {
  switch (run.status) {
    case "running":
      if (run.answer !== "") return "The answer is being written.";
      return run.quotes.length > 0 ? "Quotes found." : "Searching.";
    case "completed":
      return run.mode === "quote" ? "Finished with quotes." : "The answer is finished.";
    case "cancelled":
      return "The answer was stopped.";
    case "failed":
      return "The answer failed.";
  }
}

function copyText({ answer, citations }: LiveRun): string {
  const sources = citations.map(
    ({ n, name, page, quote }) => `[${n}] ${name}${page === undefined ? "" : `, page ${page}`}: “${quote}”`,
  );
  return sources.length === 0 ? answer : `${answer}\n\n${sources.join("\n")}\n`;
}
