/** Runs that are not in memory any more. */
import { fault, toProblem } from "../api/problem.ts";
import type { Run, RunEvent } from "../api/schemas.ts";
import { createEventLog, type EventLog } from "./event-log.ts";

/** The run as it ended, also when the process ended before it did. */
export function readStored(run: Run): Run {
  return run.status === "running" ? interrupted(run) : run;
}

/** Of its events only the last one is told, under its old number. */
export function replayOf(run: Run): EventLog<RunEvent> {
  const log = createEventLog<RunEvent>({ before: Math.max(0, run.lastEventId - 1) });
  if (run.status === "failed" && run.error !== undefined)
    log.append({ type: "run.error", error: run.error, run });
  else if (run.status === "cancelled") log.append({ type: "run.cancelled", run });
  else log.append({ type: "run.completed", run });
  log.end();
  return log;
}

function interrupted(run: Run): Run {
  const error = toProblem(
    fault({
      status: 502,
      code: "stream-interrupted",
      detail: "The service ended before this answer did.",
      hint: "Ask again.",
      retryable: true,
    }),
  );
  return { ...run, status: "failed", error, lastEventId: Math.max(1, run.lastEventId) };
}
