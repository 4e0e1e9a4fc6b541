import { ChevronDown } from "lucide-react";
import { useState } from "react";

import type { ContextBudget } from "../../src/api/schemas.ts";
import { count, duration, speed } from "../figures.ts";
import { RunDetails } from "./run-details.tsx";
import type { LiveRun } from "./run-reducer.ts";

/** One quiet line under the answer: who, how fast, how much. It opens to everything that was done. */
export function Figures({ run }: { readonly run: LiveRun }) {
  const [open, setOpen] = useState(false);
  const parts = figuresOf(run);
  if (parts.length === 0) return null;
  return (
    <div className="figures-line">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="figures">
          {parts.map((part) => (
            <span key={part} className="figure">
              {part}
            </span>
          ))}
        </span>
        <ChevronDown className="icon" aria-hidden />
        <span className="sr-only">Show how this was answered</span>
      </button>
      {open && <RunDetails run={run} />}
    </div>
  );
}

function figuresOf({ model, attempts, timings, usage, context, hits, mode }: LiveRun): readonly string[] {
  const last = attempts.at(-1);
  const name = model?.ref ?? (last === undefined ? undefined : `${last.providerId}/${last.model}`);
  const parts: (string | undefined)[] = [
    name ?? (mode === "quote" ? "no model" : undefined),
    timings.timeToFirstTokenMs === undefined
      ? undefined
      : `first token ${duration(timings.timeToFirstTokenMs)}`,
    timings.tokensPerSecond === undefined ? undefined : speed(timings.tokensPerSecond),
    usage?.inputTokens === undefined ? undefined : `${count(usage.inputTokens)} tokens in`,
    usage?.outputTokens === undefined ? undefined : `${count(usage.outputTokens)} out`,
    context === undefined ? undefined : `${contextUse(context)} context used`,
    name === undefined ? `${hits.length} passages compared` : undefined,
    name === undefined && timings.totalMs !== undefined ? duration(timings.totalMs) : undefined,
  ];
  return parts.filter((part) => part !== undefined);
}

function contextUse({ used, window }: ContextBudget): string {
  return window === undefined ? `${count(used)} tokens of` : `${count(used)} of ${count(window)}`;
}
