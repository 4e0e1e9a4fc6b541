import { ArrowDown, ArrowUp } from "lucide-react";
import { useMemo, useState } from "react";

import type { Document, Job } from "../../src/api/schemas.ts";
import { DocumentRow } from "./document-row.tsx";

const columns = [
  { key: "title", label: "Name" },
  { key: "pages", label: "Pages" },
  { key: "bytes", label: "Size" },
  { key: "createdAt", label: "Added" },
] as const;
type Key = (typeof columns)[number]["key"];

interface DocumentTableProps {
  readonly documents: readonly Document[];
  readonly jobs: ReadonlyMap<string, Job>;
}

export function DocumentTable({ documents, jobs }: DocumentTableProps) {
  const [{ key, down }, setOrder] = useState<{ key: Key; down: boolean }>({ key: "createdAt", down: true });
  const sorted = useMemo(() => {
    const up = documents.toSorted((a, b) => compare(a[key], b[key]));
    return down ? up.toReversed() : up;
  }, [documents, key, down]);

  return (
    <table className="documents">
      <thead>
        <tr>
          {columns.map((column) => {
            const chosen = column.key === key;
            const order = down ? "descending" : "ascending";
            const Arrow = down ? ArrowDown : ArrowUp;
            return (
              <th
                key={column.key}
                scope="col"
                data-column={column.key}
                aria-sort={chosen ? order : undefined}
              >
                <button type="button" onClick={() => setOrder({ key: column.key, down: chosen && !down })}>
                  {column.label}
                  {chosen && <Arrow className="icon" aria-hidden />}
                </button>
              </th>
            );
          })}
          <th scope="col">
            <span className="sr-only">What you can do</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {sorted.map((document) => (
          <DocumentRow
            key={document.id}
            document={document}
            job={document.jobId === undefined ? undefined : jobs.get(document.jobId)}
          />
        ))}
      </tbody>
    </table>
  );
}

const alphabet = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

function compare(a: string | number | undefined, b: string | number | undefined): number {
  if (typeof a === "string" && typeof b === "string") return alphabet.compare(a, b);
  return Number(a ?? -1) - Number(b ?? -1);
}
