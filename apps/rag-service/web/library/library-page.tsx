import "./library.css";
import { Plus, Search } from "lucide-react";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";

import type { Document } from "../../src/api/schemas.ts";
import { useJobs } from "../api/jobs.ts";
import { countText } from "../api/library-count.ts";
import { Trouble } from "../shell/trouble.tsx";
import { DocumentTable } from "./document-table.tsx";
import { Examples } from "./examples.tsx";
import { Indexing } from "./indexing.tsx";
import { addFiles, documents, useSendings } from "./library.ts";
import { SendingRow } from "./sending-row.tsx";

/** From how many documents on a filter is of use. */
const MANY = 8;

export function LibraryPage() {
  const { value, problem } = documents.use();
  const sendings = useSendings();
  const jobs = useJobs();
  const picker = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState("");
  const filter = useDeferredValue(typed.trim().toLowerCase());
  useEffect(() => void documents.refresh(), []);

  const shown = useMemo(
    () => (value ?? []).filter(({ title, name }) => `${title}\n${name}`.toLowerCase().includes(filter)),
    [value, filter],
  );
  const empty = value?.length === 0 && sendings.length === 0;

  return (
    <div className="page library">
      <header className="library-head">
        <div>
          <h1 className="page-title">Library</h1>
          <p className="quiet">
            {value !== undefined && `${summary(value)} `}
            {value === undefined && problem === undefined && "Opening the library. "}
            Files stay on this computer.
          </p>
        </div>
        <button type="button" className="button primary" onClick={() => picker.current?.click()}>
          <Plus className="icon" aria-hidden />
          Add documents
        </button>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label="Files to add"
          accept=".txt,.md,.markdown,.html,.htm,.pdf,text/*,application/pdf"
          onChange={(event) => {
            addFiles(event.target.files ?? []);
            event.target.value = "";
          }}
        />
      </header>
      {problem !== undefined && <Trouble problem={problem} again={() => void documents.refresh()} />}
      {empty && (
        <button type="button" className="drop-here" onClick={() => picker.current?.click()}>
          <span className="drop-title">Drop text, Markdown, HTML or PDF files anywhere on this page</span>
          <span className="quiet">or choose them from this computer</span>
        </button>
      )}
      {value !== undefined && value.length > MANY && (
        <label className="filter">
          <Search className="icon" aria-hidden />
          <span className="sr-only">Filter by name</span>
          <input
            type="search"
            placeholder="Filter by name"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
          {filter !== "" && (
            <span className="quiet figures" role="status">
              {shown.length} of {value.length}
            </span>
          )}
        </label>
      )}
      {sendings.length > 0 && (
        <ul className="sendings" aria-label="Files being added">
          {sendings.map((sending) => (
            <SendingRow key={sending.id} sending={sending} />
          ))}
        </ul>
      )}
      <Indexing />
      {shown.length > 0 && <DocumentTable documents={shown} jobs={jobs} />}
      {filter !== "" && shown.length === 0 && <p className="quiet">No document has “{typed}” in its name.</p>}
      <Examples prominent={empty} />
    </div>
  );
}

function summary(documents: readonly Document[]): string {
  if (documents.length === 0) return "Nothing here yet.";
  const failed = documents.filter(({ status, versionId }) => status === "failed" && versionId === undefined);
  return `${countText({ documents: documents.length - failed.length, failed: failed.length })}.`;
}
