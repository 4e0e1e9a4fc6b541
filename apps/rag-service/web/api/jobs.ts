import { useEffect, useSyncExternalStore } from "react";

import type { Job } from "../../src/api/schemas.ts";
import { listJobs } from "./service.ts";

const EVERY_MS = 500;

let jobs: readonly Job[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let reading = false;
const listeners = new Set<() => void>();
const finished = new Set<(job: Job) => void>();

export function isActive({ status }: Job): boolean {
  return status === "queued" || status === "running";
}

/** The service's jobs, read again and again while one of them runs and somebody looks. */
export function useJobs(): readonly Job[] {
  useEffect(() => void watchJobs(), []);
  return useSyncExternalStore(subscribe, () => jobs);
}

/** Tells of each job that ends while the page is open. */
export function onFinished(listener: (job: Job) => void): () => void {
  finished.add(listener);
  return () => finished.delete(listener);
}

/** Looks now, and goes on looking until no job runs any more. */
export async function watchJobs(): Promise<void> {
  clearTimeout(timer);
  if (reading) return;
  reading = true;
  try {
    const before = new Map(jobs.map((job) => [job.id, job]));
    ({ jobs } = await listJobs());
    for (const job of jobs) {
      const known = before.get(job.id);
      if (!isActive(job) && known !== undefined && isActive(known)) {
        for (const listener of finished) listener(job);
      }
    }
    for (const listener of listeners) listener();
  } catch {
    // A service that does not answer is said by what else the page asks of it; here we just look again.
  } finally {
    reading = false;
  }
  clearTimeout(timer);
  if (jobs.some(isActive)) timer = setTimeout(() => void watchJobs(), EVERY_MS);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
