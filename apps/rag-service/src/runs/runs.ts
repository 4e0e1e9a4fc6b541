/** Runs live here, not in a request: a reload finds them again, and one that nobody listens to any more is stopped. */
import { randomUUID } from "node:crypto";

import { isLlmError } from "@enginehouse/llm-core";

import { bugLine, fault, isBug, notFound, toProblem } from "../api/problem.ts";
import type { AnswerRequest, Run, RunEvent } from "../api/schemas.ts";
import { createEventLog, type EventLog } from "./event-log.ts";
import { closeAttempt, foldEvent, openRun, type ProgressEvent } from "./fold.ts";
import type { RunStore } from "./run-store.ts";
import { readStored, replayOf } from "./stored-run.ts";

export interface RunContext {
  readonly request: AnswerRequest;
  readonly conversationId: string;
  readonly emit: (event: ProgressEvent) => void;
  readonly signal: AbortSignal;
}

/** How it was answered in the end. */
export interface RunOutcome {
  readonly mode: Run["mode"];
  readonly finishReason?: string | undefined;
}

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
  /** Cancels all and waits for them. */
  close(): Promise<void>;
}

interface Live {
  readonly run: Run;
  readonly log: EventLog<RunEvent>;
  readonly controller: AbortController;
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

  const execute = async (
    one: Live,
    request: AnswerRequest,
    answer: (context: RunContext) => Promise<RunOutcome>,
  ) => {
    const { run, log, controller } = one;
    const emit = (event: ProgressEvent) => {
      foldEvent(run, event, performance.now());
      log.append(event);
    };
    const started = performance.now();
    const end = (event: (snapshot: Run) => RunEvent) => {
      run.finishedAt = new Date().toISOString();
      run.timings = { ...run.timings, totalMs: Math.round(performance.now() - started) };
      run.lastEventId += 1;
      const snapshot = structuredClone(run);
      save(snapshot);
      log.append(event(snapshot));
      log.end();
    };
    const { conversationId } = run;
    emit({
      type: "run.started",
      runId: run.runId,
      question: run.question,
      requestedMode: run.requestedMode,
      conversationId,
      createdAt: run.createdAt,
    });
    try {
      const { mode, finishReason } = await answer({
        request,
        conversationId,
        emit,
        signal: controller.signal,
      });
      controller.signal.throwIfAborted();
      run.mode = mode;
      if (finishReason !== undefined) run.finishReason = finishReason;
      run.status = "completed";
      closeAttempt(run, performance.now(), "answered");
      end((snapshot) => ({ type: "run.completed", run: snapshot }));
    } catch (error) {
      if (controller.signal.aborted) {
        run.status = "cancelled";
        closeAttempt(run, performance.now(), "cancelled");
        end((snapshot) => ({ type: "run.cancelled", run: snapshot }));
        return;
      }
      if (isBug(error)) report(bugLine(error, `run ${run.runId}`));
      const problem = toProblem(error);
      run.status = "failed";
      run.error = problem;
      if (run.answer !== "" || isLlmError(error)) closeAttempt(run, performance.now(), "failed", problem);
      end((snapshot) => ({ type: "run.error", error: problem, run: snapshot }));
    }
  };

  const save = (run: Run) => {
    try {
      store.save(run);
    } catch (error) {
      // The answer is there and stays in memory; only its address will not outlive this process.
      report(bugLine(error, "saving a run"));
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
      one.done = execute(one, request, answer);
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
