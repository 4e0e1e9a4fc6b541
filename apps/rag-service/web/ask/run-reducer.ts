import type { Attempt, Problem, Run, RunEvent } from "../../src/api/schemas.ts";

/** A run as the page knows it: what the service would say of it now, and what it is waiting for. */
export interface LiveRun extends Run {
  readonly phase: Phase;
  /** When the page sent the question, by the page's clock. */
  readonly startedAt: number;
}

export type Phase =
  | { readonly name: "sending" }
  | { readonly name: "searching" }
  | { readonly name: "preparing" }
  | { readonly name: "queued" | "loading" | "prefill"; readonly progress?: number | undefined }
  | { readonly name: "waiting" }
  | { readonly name: "thinking" }
  | { readonly name: "writing" }
  | { readonly name: "done" };

export function newRun(question: string, requestedMode: Run["requestedMode"]): LiveRun {
  return {
    runId: "",
    status: "running",
    question,
    requestedMode,
    mode: requestedMode === "quote" ? "quote" : "generate",
    conversationId: "",
    answer: "",
    notices: [],
    citations: [],
    quotes: [],
    sentences: [],
    hits: [],
    timings: {},
    attempts: [],
    createdAt: new Date().toISOString(),
    lastEventId: 0,
    phase: { name: "sending" },
    startedAt: Date.now(),
  };
}

/** A run that the service told of whole. */
export function liveRun(run: Run): LiveRun {
  const phase: Phase = run.status === "running" ? { name: "searching" } : { name: "done" };
  return { ...run, phase, startedAt: Date.parse(run.createdAt) };
}

export function failRun(run: LiveRun, error: Problem): LiveRun {
  return { ...run, status: "failed", error, phase: { name: "done" } };
}

export function applyEvents(run: LiveRun, events: readonly RunEvent[], lastEventId: number): LiveRun {
  let next = run;
  for (const event of events) next = apply(next, event);
  return lastEventId > next.lastEventId ? { ...next, lastEventId } : next;
}

function apply(run: LiveRun, event: RunEvent): LiveRun {
  switch (event.type) {
    case "run.started":
      return { ...run, ...started(event), phase: { name: "searching" } };
    case "query.rewritten":
      return run;
    case "retrieval.completed": {
      const { hits, quotes, mode, retrievalMs } = event;
      const timings = { ...run.timings, retrievalMs };
      return { ...run, hits, quotes, retrievalMode: mode, timings, phase: { name: "preparing" } };
    }
    case "notice": {
      const { code } = event.notice;
      const mode = code === "no-model" || code === "models-failed" ? "quote" : run.mode;
      return { ...run, mode, notices: [...run.notices, event.notice] };
    }
    case "context.budget":
      return { ...run, context: event.context };
    case "attempt.started": {
      const { attempt, providerId, model, demonstration } = event;
      const begun: Attempt = { attempt, providerId, model, demonstration, status: "running" };
      return { ...run, attempts: [...run.attempts, begun], phase: { name: "waiting" } };
    }
    case "attempt.status":
      return { ...run, phase: { name: event.state, progress: event.progress } };
    case "attempt.failed": {
      const attempts = run.attempts.map((attempt) =>
        attempt.attempt === event.attempt
          ? { ...attempt, status: "failed" as const, error: event.error }
          : attempt,
      );
      return { ...run, attempts, phase: { name: "preparing" } };
    }
    case "reasoning.delta":
      return { ...run, reasoning: (run.reasoning ?? "") + event.text, phase: { name: "thinking" } };
    case "text.delta":
      return { ...run, answer: run.answer + event.text, phase: { name: "writing" } };
    case "sentence": {
      const { type: _, ...sentence } = event;
      return { ...run, sentences: [...run.sentences, sentence] };
    }
    case "citation":
      return { ...run, citations: [...run.citations, event.citation] };
    case "usage":
      return { ...run, usage: event.usage };
    case "metrics": {
      const { providerId, model, demonstration, timings } = event;
      return {
        ...run,
        model: { providerId, model, ref: `${providerId}/${model}`, demonstration },
        timings: { ...run.timings, ...timings },
      };
    }
    case "run.completed":
    case "run.error":
    case "run.cancelled":
      return { ...event.run, phase: { name: "done" }, startedAt: run.startedAt };
  }
}

function started(event: Extract<RunEvent, { type: "run.started" }>) {
  const { runId, question, requestedMode, conversationId, createdAt } = event;
  return { runId, question, requestedMode, conversationId, createdAt };
}
