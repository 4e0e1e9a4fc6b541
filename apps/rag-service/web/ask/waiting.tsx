import { useEffect, useState } from "react";

import { libraryCount } from "../api/library-count.ts";
import { counted, duration } from "../figures.ts";
import type { LiveRun } from "./run-reducer.ts";

/** Says what is being waited for, and, from the first second on, for how long already. */
export function Waiting({ run }: { readonly run: LiveRun }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const elapsed = now - run.startedAt;
  const progress = "progress" in run.phase ? run.phase.progress : undefined;
  return (
    <div className="waiting">
      <p>
        <span>{what(run, libraryCount.peek()?.documents)}</span>
        {elapsed >= 1_000 && (
          <span className="figures quiet">{duration(Math.floor(elapsed / 1000) * 1000)}</span>
        )}
      </p>
      {progress !== undefined && <progress value={progress} max={1} aria-label={what(run, undefined)} />}
    </div>
  );
}

function what({ phase, attempts, context }: LiveRun, documents: number | undefined): string {
  const attempt = attempts.at(-1);
  const model = attempt === undefined ? "the model" : `${attempt.providerId}/${attempt.model}`;
  switch (phase.name) {
    case "sending":
      return "Sending the question";
    case "searching":
      return documents === undefined
        ? "Searching your documents"
        : `Searching ${counted(documents, "document")}`;
    case "preparing":
      return "Putting the passages together";
    case "queued":
      return `Waiting for a free place at ${model}`;
    case "loading":
      return phase.progress === undefined
        ? `Loading ${model} into memory`
        : `Loading ${model} into memory, ${Math.round(phase.progress * 100)} %`;
    case "prefill":
      return context === undefined
        ? `${model} is reading the passages`
        : `${model} is reading ${counted(context.used, "token")} of passages`;
    case "waiting":
      return `Waiting for the first word of ${model}`;
    case "thinking":
      return `${model} is thinking`;
    case "writing":
      return "Writing";
    case "done":
      return "Finishing";
  }
}
