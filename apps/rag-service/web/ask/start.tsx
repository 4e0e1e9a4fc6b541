import { ArrowUpRight, FilePlus2 } from "lucide-react";
import { useState } from "react";

import { type Problem, problemOf } from "../api/client.ts";
import { examples } from "../api/examples.ts";
import { libraryCount } from "../api/library-count.ts";
import { addExamples } from "../api/service.ts";
import { counted } from "../figures.ts";
import { Link, navigate } from "../router.tsx";
import { Trouble } from "../shell/trouble.tsx";
import { distinctRuns, earlierRuns } from "./runs.ts";

/** So many questions fit on a page without scrolling: one for each of four documents first. */
const OFFERED = 4;

/** Before the first question: what can be asked, or, with nothing to ask of, how to get there. */
export function Start({ ask }: { readonly ask: (question: string) => void }) {
  const { value: library, problem } = libraryCount.use();
  const documents = library?.documents;
  const { value: offered } = examples.use();
  const { value: earlier } = earlierRuns.use();
  if (problem !== undefined && documents === undefined) {
    return <Trouble problem={problem} again={() => void libraryCount.refresh()} />;
  }
  if (documents === undefined) return null;
  if (documents === 0) return <NoDocuments offered={offered?.examples.length ?? 0} />;
  const questions = (offered?.examples ?? [])
    .filter(({ documentId }) => documentId !== undefined)
    .flatMap(({ questions: asked, title }) => asked.map((question, turn) => ({ question, title, turn })))
    .toSorted((a, b) => a.turn - b.turn);
  return (
    <section className="start" aria-label="To begin with">
      <p className="quiet">
        Answers come from <Link href="/library">{counted(documents, "document")}</Link> on this computer,
        every sentence with its source.
        {library !== undefined && library.failed > 0 && (
          <>
            {" "}
            <Link href="/library">{counted(library.failed, "file")}</Link> could not be read.
          </>
        )}
      </p>
      {questions.length > 0 && (
        <>
          <h2>Questions that the examples answer</h2>
          <ul className="start-questions">
            {questions.slice(0, OFFERED).map(({ question, title }) => (
              <li key={question}>
                <button type="button" onClick={() => ask(question)}>
                  <span className="start-question">{question}</span>
                  <span className="quiet">{title}</span>
                  <ArrowUpRight className="icon" aria-hidden />
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      {earlier !== undefined && earlier.runs.length > 0 && (
        <div className="start-earlier">
          <h2>Earlier questions</h2>
          <ul className="start-questions">
            {distinctRuns(earlier.runs)
              .slice(0, 6)
              .map(({ runId, question }) => (
                <li key={runId}>
                  <Link href={`/ask/${runId}`} className="start-question">
                    {question}
                  </Link>
                </li>
              ))}
          </ul>
        </div>
      )}
    </section>
  );
}

function NoDocuments({ offered }: { readonly offered: number }) {
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);

  async function add(): Promise<void> {
    setBusy(true);
    try {
      await addExamples();
      await Promise.all([examples.refresh(), libraryCount.refresh()]);
      navigate("/library");
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <section className="start" aria-label="To begin with">
      <p>
        There are no documents yet. Add some text, Markdown, HTML or PDF files: they stay on this computer,
        and every answer shows where in them it comes from.
      </p>
      <div className="start-deeds">
        <Link href="/library" className="button primary">
          <FilePlus2 className="icon" aria-hidden />
          Add documents
        </Link>
        {offered > 0 && (
          <button type="button" className="plain" disabled={busy} onClick={() => void add()}>
            {busy ? "Adding the examples" : `Or begin with ${counted(offered, "example document")}`}
          </button>
        )}
      </div>
      {problem !== undefined && <Trouble problem={problem} again={() => void add()} />}
    </section>
  );
}
