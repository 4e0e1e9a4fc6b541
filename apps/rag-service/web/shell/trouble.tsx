import { CircleAlert, RotateCw } from "lucide-react";
import type { ReactNode } from "react";

import type { Problem } from "../api/client.ts";

interface TroubleProps {
  readonly problem: Problem;
  readonly again?: (() => void) | undefined;
  readonly againLabel?: string;
  readonly children?: ReactNode;
}

/** What happened, with whom, and what to do, beside what failed. */
export function Trouble({ problem, again, againLabel = "Try again", children }: TroubleProps) {
  return (
    <div className="trouble" role="alert">
      <CircleAlert className="icon" aria-hidden />
      <p className="trouble-title">{problem.title}</p>
      {problem.detail !== problem.title && <p>{sentence(problem.detail)}</p>}
      {problem.hint !== undefined && <p>{sentence(problem.hint)}</p>}
      <div className="deeds">
        {again !== undefined && (
          <button type="button" className="button small" onClick={again}>
            <RotateCw className="icon" aria-hidden />
            {againLabel}
          </button>
        )}
        {children}
        <code>{problem.code}</code>
      </div>
    </div>
  );
}

/** Backends end their sentences as they like; on the page each begins and ends as one. */
function sentence(text: string): string {
  const trimmed = text.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.?!:]$/.test(trimmed) ? "" : ".");
}
