import { CircleAlert, RotateCw } from "lucide-react";
import type { ReactNode } from "react";

import type { Problem } from "../api/client.ts";
import { wordsFor } from "./trouble-words.ts";

interface TroubleProps {
  readonly problem: Problem;
  readonly again?: (() => void) | undefined;
  readonly againLabel?: string;
  readonly children?: ReactNode;
}

/** What happened, with whom, and what to do, beside what failed. */
export function Trouble({ problem, again, againLabel = "Try again", children }: TroubleProps) {
  const { title, detail, hint, code, final } = wordsFor(problem);
  const offered = final === true ? undefined : again;
  return (
    <div className="trouble" role="alert" data-code={code}>
      <CircleAlert className="icon" aria-hidden />
      <p className="trouble-title">{title}</p>
      {detail !== title && <p>{sentence(detail)}</p>}
      {hint !== undefined && <p>{sentence(hint)}</p>}
      {(offered !== undefined || children !== undefined) && (
        <div className="deeds">
          {offered !== undefined && (
            <button type="button" className="button small" onClick={offered}>
              <RotateCw className="icon" aria-hidden />
              {againLabel}
            </button>
          )}
          {children}
        </div>
      )}
    </div>
  );
}

/** Backends end their sentences as they like; on the page each begins and ends as one. An address stays as it is. */
function sentence(text: string): string {
  const trimmed = text.trim();
  const first = /^\p{Ll}+(?![\p{L}\d:/.-])/u.test(trimmed)
    ? trimmed.charAt(0).toUpperCase()
    : trimmed.charAt(0);
  return first + trimmed.slice(1) + (/[.?!:]$/.test(trimmed) ? "" : ".");
}
