import { useEffect, useSyncExternalStore } from "react";

import type { Job, JobEvent } from "../../src/api/schemas.ts";
import { followJobs } from "./service.ts";

/** How long to wait before asking a service anew that has hung up. */
const AGAIN_MS = 1_000;

let jobs: ReadonlyMap<string, Job> = new Map();
let watchers = 0;
let connection: AbortController | undefined;
const listeners = new Set<() => void>();
const settled = new Set<(job: Job | undefined) => void>();

export function isActive({ status }: Job): boolean {
  return status === "queued" || status === "running";
}

/** The jobs that run or ended since somebody looks, by their ids. */
export function useJobs(): ReadonlyMap<string, Job> {
  useEffect(() => {
    watchers++;
    if (connection === undefined) void watch();
    return () => {
      watchers--;
      if (watchers > 0) return;
      connection?.abort();
      connection = undefined;
    };
  }, []);
  return useSyncExternalStore(subscribe, () => jobs);
}

/** Tells of each job that ends, and, with `undefined`, of a gap in which any may have ended. */
export function onSettled(listener: (job: Job | undefined) => void): () => void {
  settled.add(listener);
  return () => settled.delete(listener);
}

async function watch(): Promise<void> {
  const mine = new AbortController();
  connection = mine;
  while (!mine.signal.aborted) {
    try {
      await followJobs(mine.signal, take);
    } catch {
      // That the service does not answer is said by whatever else the page asks of it.
    }
    if (mine.signal.aborted) return;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    for (const listener of settled) listener(undefined);
  }
}

function take(events: readonly JobEvent[]): void {
  const next = new Map(jobs);
  for (const { job } of events) next.set(job.id, job);
  jobs = next;
  for (const listener of listeners) listener();
  for (const { job } of events) if (!isActive(job)) for (const listener of settled) listener(job);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
