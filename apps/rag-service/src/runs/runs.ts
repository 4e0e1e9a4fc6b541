/** Runs live here, not in a request: a reload finds them again, and one that nobody listens to any more is stopped. */
import { randomUUID } from "node:crypto";

import { bugLine, fault, notFound } from "../api/problem.ts";
import type { AnswerRequest, Run, RunEvent } from "../api/schemas.ts";
import { type Fault as StoreFault, readFault } from "../store/fault.ts";
import { createEventLog, type EventLog } from "./event-log.ts";
import { executeRun, type OpenRun, type RunContext, type RunOutcome } from "./execute-run.ts";
import { openRun } from "./fold.ts";
import type { RunStore } from "./run-store.ts";
import { readStored, replayOf } from "./stored-run.ts";

export interface Runs {
  start(request: AnswerRequest, answer: (context: RunContext) => Promise<RunOutcome>): Run;
  /** The run as it is now. Unknown: throws `run-not-found`. */
  get(runId: string): Run;
  list(limit: number): readonly Run[];
  /** The finished turns of a conversation, oldest first. */
  conversation(conversationId: string, limit: number): readonly Run[];
  /** A place in the audience. When the last one leaves a run that is not detached, it is cancelled. */
  join(runId: string): { readonly log: EventLog<RunEvent>; readonly leave: () => void };
  /** Stops the engine's work; what had arrived stays. A finished run is left as it is. */
  cancel(runId: string): Run;
  /** Resolves when the run has ended. */
  finished(runId: string): Promise<Run>;
  /** Why the latest answer could not be saved; `undefined`: it was. */
  unsaved(): StoreFault | undefined;
  /** Cancels all and waits for them. */
  close(): Promise<void>;
}

interface Live extends OpenRun {
  readonly detached: boolean;
  listeners: number;
  done: Promise<void>;
}

/** Finished runs whose single events can still be replayed. */
const REPLAYABLE = 50;
/** How many answers are written at the same time. */
const MAX_RUNNING = 32;

export function createRuns(store: RunStore, report: (line: string) => void): Runs {
  const live = new Map<string, Live>();
  let closed = false;
  let unsaved: StoreFault | undefined;

  const find = (runId: string): Live => {
    const found = live.get(runId);
    if (found !== undefined) return found;
    const stored = store.read(runId);
    if (stored === undefined)
      throw notFound("run", runId, "It was never started, or it is older than the runs that are kept.");
    const run = readStored(stored);
    const controller = new AbortController();
    return { run, log: replayOf(run), controller, detached: true, listeners: 0, done: Promise.resolve() };
  };

  const save = (run: Run) => {
    try {
      store.save(run);
      unsaved = undefined;
    } catch (error) {
      // The answer is there and stays in memory; only its address will not outlive this process.
      unsaved = readFault(error);
      if (unsaved.code === "provider-internal") report(bugLine(error, "saving a run"));
    }
  };

  const forgetOldest = () => {
    const over = [...live.values()].filter((one) => one.log.ended && one.listeners === 0);
    for (const one of over.slice(0, Math.max(0, over.length - REPLAYABLE))) live.delete(one.run.runId);
  };

  return {
    start(request, answer) {
      if (closed)
        throw fault({ status: 503, code: "shut-down", detail: "The service is stopping.", retryable: true });
      if ([...live.values()].filter((one) => !one.log.ended).length >= MAX_RUNNING) {
        throw fault({
          status: 429,
          code: "too-many-runs",
          detail: `${MAX_RUNNING} answers are being written already.`,
          hint: "Wait until one has ended, or stop one.",
          retryable: true,
        });
      }
      forgetOldest();
      const runId = `run_${randomUUID()}`;
      const conversationId = request.conversationId ?? `conv_${randomUUID()}`;
      const one: Live = {
        run: openRun(runId, conversationId, request, new Date().toISOString()),
        log: createEventLog<RunEvent>(),
        controller: new AbortController(),
        detached: request.detach === true,
        listeners: 0,
        done: Promise.resolve(),
      };
      live.set(runId, one);
      save(one.run);
      one.done = executeRun(one, { request, answer, save, report });
      return one.run;
    },
    get: (runId) => find(runId).run,
    list(limit) {
      const running = [...live.values()].filter((one) => !one.log.ended).map((one) => one.run);
      const ids = new Set(running.map((run) => run.runId));
      const finished = store.list(limit).filter((run) => !ids.has(run.runId));
      const ended = finished.map(readStored);
      return [...running.reverse(), ...ended].slice(0, limit);
    },
    conversation: (conversationId, limit) =>
      store.conversation(conversationId, limit).filter((run) => run.status === "completed"),
    join(runId) {
      const one = find(runId);
      one.listeners += 1;
      let here = true;
      return {
        log: one.log,
        leave() {
          if (!here) return;
          here = false;
          one.listeners -= 1;
          if (one.listeners === 0 && !one.detached && !one.log.ended) one.controller.abort();
        },
      };
    },
    cancel(runId) {
      const one = find(runId);
      if (!one.log.ended) one.controller.abort();
      return one.run;
    },
    unsaved: () => unsaved,
    async finished(runId) {
      const one = find(runId);
      await one.done;
      return one.run;
    },
    async close() {
      closed = true;
      for (const one of live.values()) if (!one.log.ended) one.controller.abort();
      await Promise.all([...live.values()].map((one) => one.done));
    },
  };
}
