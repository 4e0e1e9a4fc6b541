import { Download } from "lucide-react";
import { useState } from "react";

import type { CatalogueEntry, Job } from "../../src/api/schemas.ts";
import { type Problem, problemOf } from "../api/client.ts";
import { isActive } from "../api/jobs.ts";
import { cancelJob, download } from "../api/service.ts";
import { bytes, bytesOf, count } from "../figures.ts";
import { Trouble } from "../shell/trouble.tsx";

interface CatalogueProps {
  readonly entries: readonly CatalogueEntry[];
  readonly jobs: readonly Job[];
  /** Whether nothing better than the demonstration model is in use. */
  readonly demonstration: boolean;
}

/** Real models, one click away. */
export function Catalogue({ entries, jobs, demonstration }: CatalogueProps) {
  if (entries.length === 0) return null;
  const firstChoice = entries.find(({ recommended, installed }) => recommended === true && !installed);
  return (
    <section aria-labelledby="catalogue-title">
      <h2 id="catalogue-title">Get a model</h2>
      <p className="quiet">
        Fetched from the internet once, then used without it. The figure is what is downloaded.
      </p>
      <ul className="catalogue">
        {entries.map((entry) => (
          <Entry
            key={`${entry.backend} ${entry.model}`}
            entry={entry}
            job={jobs.findLast((job) => job.kind === "download" && job.model === entry.model)}
            primary={demonstration && entry === firstChoice}
          />
        ))}
      </ul>
    </section>
  );
}

interface EntryProps {
  readonly entry: CatalogueEntry;
  readonly job: Job | undefined;
  readonly primary: boolean;
}

function Entry({ entry, job, primary }: EntryProps) {
  const { model, backend, name, task, bytes: size, contextWindow, license, note, installed } = entry;
  const [problem, setProblem] = useState<Problem>();
  const fetching = job !== undefined && isActive(job);
  const failure = offline(problem ?? (job?.status === "failed" && !installed ? job.error : undefined));
  const facts = [
    task === "chat" ? undefined : task,
    contextWindow === undefined ? undefined : `${count(contextWindow)} tokens of context`,
    license,
    backend,
  ].filter((fact) => fact !== undefined);

  async function attempt(deed: () => Promise<unknown>): Promise<void> {
    try {
      setProblem(undefined);
      await deed();
    } catch (error) {
      setProblem(problemOf(error));
    }
  }
  const fetchModel = () => void attempt(() => download({ model, backend }));

  return (
    <li>
      <p className="entry-name">
        {name}
        {entry.recommended === true && <span className="recommended">Recommended</span>}
      </p>
      <p className="entry-note">{note}</p>
      <p className="quiet figures">{facts.join(" · ")}</p>
      <div className="entry-deed">
        <span className="figures entry-size">{bytes(size)}</span>
        {installed && <span className="in-use">Installed</span>}
        {!installed && fetching && (
          <button
            type="button"
            className="button small"
            onClick={() => void attempt(() => cancelJob(job.id))}
          >
            Stop
          </button>
        )}
        {!installed && !fetching && (
          <button
            type="button"
            className={primary ? "button small primary" : "button small"}
            onClick={fetchModel}
          >
            <Download className="icon" aria-hidden />
            Get<span className="sr-only"> {name}</span>
          </button>
        )}
      </div>
      {fetching && (
        <div className="entry-progress">
          <p className="quiet figures">{fetchText(job)}</p>
          {job.total === undefined || job.total === 0 ? (
            <progress aria-label={`Fetching ${name}`} />
          ) : (
            <progress value={job.done / job.total} max={1} aria-label={`Fetching ${name}`} />
          )}
        </div>
      )}
      {failure !== undefined && !fetching && <Trouble problem={failure} again={fetchModel} />}
    </li>
  );
}

/** A model's own address is right; what fails is the way to it. */
function offline(problem: Problem | undefined): Problem | undefined {
  if (problem?.code !== "unavailable") return problem;
  const hint = "Look whether this computer is online, then try again, or add a model file of your own.";
  return { ...problem, title: "The model could not be fetched", hint };
}

function fetchText({ status, done, total }: Job): string {
  if (status === "queued") return "Waiting for its turn";
  return total === undefined || total === 0 ? "Asking for it" : `Fetching ${bytesOf(done, total)}`;
}
