import { useSyncExternalStore } from "react";

import type { AnswerMode } from "../../src/api/schemas.ts";

/** How questions are answered: kept for as long as the tab is open, so that a reload asks alike. */
export interface Answering {
  readonly mode: AnswerMode;
  readonly model?: string | undefined;
  readonly detach: boolean;
}

const KEY = "enginehouse.answering";
const listeners = new Set<() => void>();
let answering = read();

export function readAnswering(): Answering {
  return answering;
}

export function useAnswering(): Answering {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => answering,
  );
}

export function setAnswering(next: Answering): void {
  answering = next;
  try {
    sessionStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Not kept over a reload then.
  }
  for (const listener of listeners) listener();
}

function read(): Answering {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Partial<Answering>;
    return { mode: kept.mode ?? "auto", model: kept.model, detach: kept.detach ?? false };
  } catch {
    return { mode: "auto", detach: false };
  }
}
