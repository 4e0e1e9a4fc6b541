import { Cpu, Keyboard, LibraryBig, TextSearch } from "lucide-react";

import { countText, libraryCount } from "../api/library-count.ts";
import { distinctRuns, earlierRuns } from "../ask/runs.ts";
import { ago, count, exactTime } from "../figures.ts";
import { Link, usePlace } from "../router.tsx";
import { ThemeSwitch } from "./theme-switch.tsx";

const items = [
  { href: "/", name: "Ask", icon: TextSearch, isAt: /^\/($|ask\/)/ },
  { href: "/library", name: "Library", icon: LibraryBig, isAt: /^\/(library|documents\/)/ },
  { href: "/models", name: "Models", icon: Cpu, isAt: /^\/models/ },
];

export function Rail({ showKeys }: { readonly showKeys: () => void }) {
  const { path } = usePlace();
  const { value: earlier } = earlierRuns.use();
  const library = libraryCount.use().value;
  return (
    <header className="rail">
      <Link href="/" className="brand">
        <Mark />
        <span>Enginehouse</span>
      </Link>
      <nav aria-label="Pages">
        {items.map(({ href, name, icon: Icon, isAt }) => (
          <Link
            key={href}
            href={href}
            className="rail-item"
            aria-current={isAt.test(path) ? "page" : undefined}
          >
            <Icon className="icon" aria-hidden />
            <span>{name}</span>
            {name === "Library" && library !== undefined && library.documents > 0 && (
              <span className="rail-count figures" title={countText(library)}>
                {count(library.documents)}
              </span>
            )}
          </Link>
        ))}
      </nav>
      {earlier !== undefined && earlier.runs.length > 0 && (
        <nav aria-labelledby="earlier-title" className="rail-earlier">
          <h2 id="earlier-title">Earlier questions</h2>
          <ul>
            {distinctRuns(earlier.runs, path)
              .slice(0, 12)
              .map((run) => (
                <li key={run.runId}>
                  <Link
                    href={`/ask/${run.runId}`}
                    title={`${run.question.slice(0, 300)}\n${ago(run.createdAt)}, ${exactTime(run.createdAt)}`}
                    aria-current={path === `/ask/${run.runId}` ? "page" : undefined}
                  >
                    {run.question}
                  </Link>
                </li>
              ))}
          </ul>
        </nav>
      )}
      <div className="rail-foot">
        <ThemeSwitch />
        <button type="button" className="rail-item rail-keys" onClick={showKeys}>
          <Keyboard className="icon" aria-hidden />
          <span>Keys</span>
          <kbd aria-hidden>?</kbd>
        </button>
      </div>
    </header>
  );
}

/** The house with its wheel. */
function Mark() {
  return (
    <svg className="mark" viewBox="0 0 24 24" fill="none" stroke="currentColor" aria-hidden>
      <path d="M3 21V10l8-5.5V10l8-5.5V21z" />
      <circle cx="11" cy="15.5" r="2.6" />
    </svg>
  );
}
