/** One run from its first event to its last. */
import { isLlmError } from "@enginehouse/llm-core";

import { bugLine, isBug, toProblem } from "../api/problem.ts";
import type { AnswerRequest, Run, RunEvent } from "../api/schemas.ts";
import type { EventLog } from "./event-log.ts";
import { closeAttempt, foldEvent, type ProgressEvent } from "./fold.ts";

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

export interface OpenRun {
  readonly run: Run;
  readonly log: EventLog<RunEvent>;
  readonly controller: AbortController;
}

export interface RunWork {
  readonly request: AnswerRequest;
  readonly answer: (context: RunContext) => Promise<RunOutcome>;
  readonly save: (run: Run) => void;
  readonly report: (line: string) => void;
}

/** Never rejects: whatever happens is the run's last event. */
export async function executeRun({ run, log, controller }: OpenRun, work: RunWork): Promise<void> {
  const { request, answer, save, report } = work;
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
}
