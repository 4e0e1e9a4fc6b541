import { useSyncExternalStore } from "react";

import type { AnswerMode, AnswerRequest, Run, RunEvent } from "../../src/api/schemas.ts";
import { problemError, problemOf, unreachable } from "../api/client.ts";
import { createResource } from "../api/resource.ts";
import { cancelRun, dropRun, followRun, listRuns, readRun, startRun } from "../api/service.ts";
import { applyEvents, failRun, type LiveRun, liveRun, newRun } from "./run-reducer.ts";

export interface Question {
  readonly question: string;
  readonly mode: AnswerMode;
  readonly model?: string | undefined;
  /** Go on writing when the page is left; without it, leaving stops the model. */
  readonly detach: boolean;
}

/** The questions asked before, newest first. */
export const earlierRuns = createResource(listRuns);

/** Each question once, with its newest answer. The one at `path` stays, whichever it is. */
export function distinctRuns(runs: readonly Run[], path = ""): readonly Run[] {
  const newest = new Map<string, Run>();
  for (const run of runs) {
    if (!newest.has(run.question) || path === `/ask/${run.runId}`) newest.set(run.question, run);
  }
  return [...newest.values()];
}

/** Under which a question is kept until the service has given it a number. */
export const UNSENT = "unsent";

const runs = new Map<string, LiveRun>();
/** Runs that go on without the page. */
const detached = new Set<string>();
const connections = new Map<string, AbortController>();
const listeners = new Set<() => void>();

// Hanging up stops a run as well; the beacon does not wait for the browser to get round to that.
addEventListener("pagehide", () => {
  for (const [id, { status, runId }] of runs) {
    if (status === "running" && runId !== "" && !detached.has(id)) dropRun(runId);
  }
});

export function useRun(id: string): LiveRun | undefined {
  return useSyncExternalStore(subscribe, () => runs.get(id));
}

/** Asks; `started` is told the run's id as soon as it has one. */
export async function ask(asked: Question, started: (runId: string) => void): Promise<void> {
  connections.get(UNSENT)?.abort();
  const connection = new AbortController();
  connections.set(UNSENT, connection);
  const ours = () => connections.get(UNSENT) === connection;
  let run = newRun(asked.question, asked.mode);
  put(UNSENT, run);

  function take(events: readonly RunEvent[], lastEventId: number): void {
    const before = run.runId;
    run = applyEvents(run, events, lastEventId);
    if (run.runId === "") return;
    put(run.runId, run);
    if (before !== "") return;
    connections.set(run.runId, connection);
    if (asked.detach) detached.add(run.runId);
    if (ours()) {
      started(run.runId);
      forget(UNSENT);
    }
    void earlierRuns.refresh();
  }

  try {
    const body: AnswerRequest = { question: asked.question, mode: asked.mode, detach: asked.detach };
    if (asked.model !== undefined) body.model = asked.model;
    await startRun(body, connection.signal, take);
    if (run.status === "running") throw problemError(unreachable());
  } catch (error) {
    if (connection.signal.aborted) return;
    if (run.runId === "") {
      if (ours()) put(UNSENT, failRun(run, problemOf(error)));
    } else {
      await follow(run.runId, connection.signal);
    }
  } finally {
    if (run.runId !== "") connections.delete(run.runId);
  }
}

/** Brings back a run that was asked before: at once when it is over, by its missed events when it is not. */
export async function restore(id: string): Promise<void> {
  if (runs.has(id) || connections.has(id)) return;
  const connection = new AbortController();
  connections.set(id, connection);
  try {
    const run = await readRun(id);
    put(id, liveRun(run));
    if (run.status === "running") await follow(id, connection.signal);
  } catch (error) {
    put(id, { ...failRun(newRun("", "auto"), problemOf(error)), runId: id });
  } finally {
    connections.delete(id);
  }
}

export function forget(id: string): void {
  if (!runs.delete(id)) return;
  for (const listener of listeners) listener();
}

/** Stops what is running. The service says how far it came. */
export async function stop(id: string): Promise<void> {
  const run = runs.get(id);
  if (run === undefined || run.status !== "running") return;
  if (run.runId === "") {
    connections.get(id)?.abort();
    put(id, { ...run, status: "cancelled", phase: { name: "done" } });
    return;
  }
  try {
    await cancelRun(run.runId);
  } catch (error) {
    // Without a service to ask, hanging up is what is left; a run that is over needs no stopping.
    connections.get(id)?.abort();
    const now = runs.get(id);
    if (now?.status === "running") put(id, failRun(now, problemOf(error)));
  }
}

/** Reads a run's further events, connecting anew a few times, until it is over. */
async function follow(id: string, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const before = runs.get(id);
    if (before === undefined || before.status !== "running") return;
    try {
      await followRun(id, before.lastEventId, signal, (events, lastEventId) => {
        failures = 0;
        const now = runs.get(id);
        if (now !== undefined) put(id, applyEvents(now, events, lastEventId));
      });
      failures++;
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      const now = runs.get(id);
      if (failures > 4 && now !== undefined) {
        put(id, failRun(now, problemOf(error)));
        return;
      }
    }
    if (runs.get(id)?.status === "running") await pause(250 * failures);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function put(id: string, run: LiveRun): void {
  runs.set(id, run);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
