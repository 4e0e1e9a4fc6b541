import { useEffect, useState } from "react";

import type { DocumentContent } from "../../src/api/schemas.ts";
import { type Problem, problemOf } from "../api/client.ts";
import { readContent } from "../api/service.ts";

const KEPT = 4;
const contents = new Map<string, DocumentContent>();

export interface LoadedContent {
  readonly content: DocumentContent | undefined;
  readonly problem: Problem | undefined;
  readonly again: () => void;
}

/** The stored text of a document; the last few stay at hand. */
export function useContent(documentId: string): LoadedContent {
  const [tries, setTries] = useState(0);
  const [state, setState] = useState<{ id: string; content?: DocumentContent; problem?: Problem }>({
    id: "",
  });

  useEffect(() => {
    const aborter = new AbortController();
    async function load(): Promise<void> {
      try {
        const content = await readContent(documentId, aborter.signal);
        contents.delete(documentId);
        contents.set(documentId, content);
        const oldest = contents.keys().next().value;
        if (contents.size > KEPT && oldest !== undefined) contents.delete(oldest);
        if (!aborter.signal.aborted) setState({ id: documentId, content });
      } catch (error) {
        if (!aborter.signal.aborted) setState({ id: documentId, problem: problemOf(error) });
      }
    }
    void load();
    return () => aborter.abort();
  }, [documentId, tries]);

  const current = state.id === documentId ? state : undefined;
  return {
    content: current?.content ?? contents.get(documentId),
    problem: current?.problem,
    again: () => {
      setState({ id: "" });
      setTries(tries + 1);
    },
  };
}
