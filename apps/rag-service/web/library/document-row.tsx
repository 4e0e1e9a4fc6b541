import { Trash2 } from "lucide-react";
import { memo, useState } from "react";

import type { Document, Job } from "../../src/api/schemas.ts";
import { type Problem, problemOf } from "../api/client.ts";
import { isActive } from "../api/jobs.ts";
import { ago, bytes, count, exactTime } from "../figures.ts";
import { Link } from "../router.tsx";
import { Trouble } from "../shell/trouble.tsx";
import { shownTitle } from "../titles.ts";
import { readAgain, remove } from "./library.ts";
import { stageText } from "./stages.ts";

interface DocumentRowProps {
  readonly document: Document;
  readonly job: Job | undefined;
}

export const DocumentRow = memo(function DocumentRow({ document, job }: DocumentRowProps) {
  const { id, title, name, status } = document;
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const hopeless = document.error?.retryable === false || document.jobId === undefined;
  const readable = document.versionId !== undefined;

  async function attempt(deed: () => Promise<void>): Promise<void> {
    setProblem(undefined);
    setAsking(false);
    try {
      await deed();
    } catch (error) {
      setProblem(problemOf(error));
    }
  }

  return (
    <tr data-status={status}>
      <th scope="row">
        {readable ? (
          <Link className="document-title" href={`/documents/${encodeURIComponent(id)}`}>
            {shownTitle(title)}
          </Link>
        ) : (
          <span className="document-title">{shownTitle(title)}</span>
        )}
        {!name.startsWith(`${title}.`) && name !== title && (
          <span className="document-name quiet">{name}</span>
        )}
        {(status === "queued" || status === "processing") && <Progress document={document} job={job} />}
        {document.warnings?.map((warning) => (
          <p key={warning} className="document-warning">
            {warning}
          </p>
        ))}
        {document.error !== undefined && (
          <Trouble
            problem={document.error}
            again={hopeless ? undefined : () => void attempt(() => readAgain(document))}
          />
        )}
        {problem !== undefined && <Trouble problem={problem} />}
      </th>
      <td data-column="pages">{document.pages === undefined ? "" : count(document.pages)}</td>
      <td data-column="bytes">{document.bytes === undefined ? "" : bytes(document.bytes)}</td>
      <td data-column="createdAt">
        <time dateTime={document.createdAt} title={exactTime(document.createdAt)}>
          {ago(document.createdAt)}
        </time>
      </td>
      <td data-column="deeds">
        {asking ? (
          <span className="sure">
            <button
              type="button"
              className="button small danger"
              autoFocus
              onClick={() => void attempt(() => remove(document))}
            >
              Delete
            </button>
            <button type="button" className="button small" onClick={() => setAsking(false)}>
              Keep
            </button>
          </span>
        ) : (
          <button type="button" className="icon-button" onClick={() => setAsking(true)} title="Delete">
            <Trash2 className="icon" aria-hidden />
            <span className="sr-only">Delete {shownTitle(title)}</span>
          </button>
        )}
      </td>
    </tr>
  );
});

function Progress({ document, job }: DocumentRowProps) {
  const known = job !== undefined && isActive(job);
  const text = known ? stageText(job) : "Waiting for its turn";
  const value =
    known && job.status === "running" && job.total !== undefined && job.total > 0
      ? job.done / job.total
      : undefined;
  return (
    <div className="document-progress">
      <p className="quiet figures">{text}</p>
      {value === undefined ? (
        <progress aria-label={`${text}: ${document.title}`} />
      ) : (
        <progress value={value} max={1} aria-label={`${text}: ${document.title}`} />
      )}
    </div>
  );
}
