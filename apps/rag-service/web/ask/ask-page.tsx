import "./ask.css";
import { useCallback, useEffect, useRef, useState } from "react";

import { addressWith, navigate, usePlace } from "../router.tsx";
import { useKeys } from "../shell/use-keys.ts";
import { useMedia } from "../shell/use-media.ts";
import { Answer } from "./answer.tsx";
import { readAnswering } from "./answering.ts";
import { QuestionField } from "./question-field.tsx";
import { ask, forget, restore, stop, UNSENT, useRun } from "./runs.ts";
import { SourcePanel } from "./source-panel.tsx";
import { findSource, type Source, sourcesOf } from "./sources.ts";
import { Start } from "./start.tsx";

const none: readonly Source[] = [];

export function AskPage({ id }: { readonly id: string }) {
  const place = usePlace();
  const wide = useMedia("(min-width: 1100px)");
  const run = useRun(id === "" ? UNSENT : id);
  const field = useRef<HTMLTextAreaElement>(null);

  useEffect(() => {
    if (id !== "") void restore(id);
  }, [id]);
  useEffect(() => () => forget(UNSENT), []);

  // What is asked for in the address; beside a wide column, the first source otherwise, and then that one stays.
  const sources = run === undefined ? none : sourcesOf(run);
  const [first, setFirst] = useState<{ id: string; key: string }>();
  if (run !== undefined && sources[0] !== undefined && first?.id !== run.runId) {
    setFirst({ id: run.runId, key: sources[0].key });
  }
  const asked = place.query.get("source");
  const key = asked ?? (wide && first?.id === run?.runId ? first?.key : undefined);
  const focused = run === undefined || key === undefined || key === "none" ? undefined : findSource(run, key);

  const focus = useCallback((next: string | undefined) => {
    navigate(addressWith({ source: next ?? "none" }), { replace: true });
  }, []);
  function walk(step: number): void {
    const at = sources.findIndex((source) => source.key === focused?.key);
    const next = at === -1 ? sources.at(step > 0 ? 0 : -1) : sources[at + step];
    if (next !== undefined) focus(next.key);
  }
  function send(question: string): void {
    const { mode, model, detach } = readAnswering();
    // The empty page before the first question stays in the history: back leads to it, not away.
    if (id !== "") navigate("/");
    const started = (runId: string) => navigate(`/ask/${runId}`, { replace: id !== "" });
    void ask({ question, mode, model, detach }, started);
  }

  const running = run?.status === "running";
  const stopRun = useCallback(() => void stop(id === "" ? UNSENT : id), [id]);
  const closeSource = focused !== undefined ? () => focus(undefined) : undefined;
  useKeys({
    "/": () => {
      field.current?.focus();
      field.current?.select();
    },
    "[": () => walk(-1),
    "]": () => walk(1),
    Escape: running ? stopRun : closeSource,
  });

  return (
    <div className="ask" data-asked={run !== undefined || id !== ""} data-source={focused !== undefined}>
      <div className="ask-column">
        <h1 className={run === undefined && id === "" ? "ask-title" : "sr-only"}>Ask your documents</h1>
        <div className="question-place">
          <QuestionField
            field={field}
            question={run?.question ?? ""}
            running={running}
            send={send}
            stop={stopRun}
          />
        </div>
        {run === undefined && id === "" && <Start ask={send} />}
        {run === undefined && id !== "" && <p className="quiet">Opening the answer</p>}
        {run !== undefined && (
          <Answer
            run={run}
            focusedKey={focused?.key}
            focusSource={focus}
            again={run.question === "" ? () => location.reload() : () => send(run.question)}
          />
        )}
      </div>
      {run !== undefined && focused !== undefined && (
        <SourcePanel
          hits={run.hits}
          sources={sources}
          focused={focused}
          walk={walk}
          close={() => focus(undefined)}
          floating={!wide}
        />
      )}
    </div>
  );
}
