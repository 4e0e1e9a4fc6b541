import { DEFAULT_TIMEOUTS, LlmError, type Timeouts } from "@enginehouse/llm-core";

/** The clocks of one call. But for `total`, only waiting for the backend counts: a slow reader never times out. */
export interface Deadlines {
  /** Fires with the caller's signal, or with a `timeout` error when a deadline passes. */
  readonly signal: AbortSignal;
  /** The backend accepted the connection. */
  connected(): void;
  /** Reading begins: from here until `arrived` the clock runs. */
  waiting(): void;
  /** A sign of life came. */
  arrived(): void;
  /** The deadline that passed, as an error. */
  readonly fault: LlmError | undefined;
  /** The call is given up: its request is cut off. */
  leave(): void;
  /** Must be called once at the end: no timer and no listener stays. */
  end(): void;
}

type Stage = "connect" | "firstEvent" | "idle";

const PHASES = { connect: "connect", firstEvent: "first-event", idle: "stream", total: "stream" } as const;

const SAYS: Record<Stage | "total", string> = {
  connect: "the backend did not accept the connection",
  firstEvent: "the backend sent nothing",
  idle: "the backend fell silent in the middle of its answer",
  total: "the call was not finished",
};

/**
 * Starts the connect clock and the total clock. One timer serves all. A read sets flags and never looks at the clock,
 * which would be dear for every token: a silence counts from when the timer notices it, a tenth of `idle` late at most.
 */
export function startDeadlines(timeouts: Timeouts = {}, signal?: AbortSignal): Deadlines {
  const limits = { ...DEFAULT_TIMEOUTS, ...given(timeouts) };
  const controller = new AbortController();
  const follow = (): void => controller.abort(signal?.reason);
  const now = (): number => performance.now();
  const started = now();
  const lastOfAll = started + limits.total;
  let stage: Stage = "connect";
  let due = started + limits.connect;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let armedFor = Number.POSITIVE_INFINITY;
  let fault: LlmError | undefined;
  let ended = false;
  let heard = false;
  /** The reader waits for the next sign of life. */
  let silent = false;
  /** The timer that is set will notice a silence in time. */
  let watched = false;

  const pass = (which: Stage | "total"): void => {
    fault = new LlmError("timeout", `${SAYS[which]} within ${seconds(limits[which])}`, {
      phase: PHASES[which],
      hint: `raise timeouts.${which} if it needs more`,
    });
    controller.abort(fault);
  };

  const check = (): void => {
    timer = undefined;
    armedFor = Number.POSITIVE_INFINITY;
    if (silent) due = Math.min(due, now() + limits.idle);
    if (now() >= lastOfAll) pass("total");
    else if (now() >= due) pass(stage);
    else arm();
  };

  const arm = (): void => {
    watched = silent;
    const next = Math.min(due, lastOfAll, silent ? now() + limits.idle / 10 : due);
    if (next === Number.POSITIVE_INFINITY || next >= armedFor) return;
    clearTimeout(timer);
    armedFor = next;
    // A timer longer than 2^31 ms would fire at once; it is set again when it fires too early.
    timer = setTimeout(check, Math.min(Math.max(0, next - now()), MAX_TIMER));
  };

  const set = (next: Stage, at: number): void => {
    if (ended) return;
    stage = next;
    due = at;
    if (at < armedFor) arm();
  };

  signal?.addEventListener("abort", follow, { once: true });
  if (signal?.aborted === true) follow();
  arm();

  return {
    signal: controller.signal,
    connected: () => set("firstEvent", started + limits.firstEvent),
    waiting() {
      if (!heard) return set("firstEvent", started + limits.firstEvent);
      silent = true;
      if (watched || ended) return;
      due = now() + limits.idle;
      arm();
    },
    arrived() {
      heard = true;
      stage = "idle";
      silent = false;
      due = Number.POSITIVE_INFINITY;
    },
    get fault() {
      return fault;
    },
    leave() {
      if (!ended) controller.abort();
    },
    end() {
      ended = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", follow);
    },
  };
}

const MAX_TIMER = 2 ** 31 - 1;

const seconds = (ms: number): string => (ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`);

function given(timeouts: Timeouts): { [K in keyof Timeouts]-?: number } {
  const entries = Object.entries(timeouts).filter(([, value]) => value !== undefined);
  for (const [name, value] of entries as [string, number][]) {
    if (value >= 0) continue;
    throw new LlmError(
      "invalid-request",
      `timeouts.${name}: expected milliseconds or Infinity, got ${value}`,
    );
  }
  return Object.fromEntries(entries) as never;
}
