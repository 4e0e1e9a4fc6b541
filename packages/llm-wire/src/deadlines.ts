import { DEFAULT_TIMEOUTS, LlmError, type Timeouts } from "@enginehouse/llm-core";

import type { Asker, Stop } from "./sending.ts";

/** The clocks of one call. But for `total`, only waiting for the backend counts: a slow reader never times out. */
export interface Deadlines extends Asker {
  /** Fires with the caller's signal, or with a `timeout` error when a deadline passes. Made at the first look. */
  readonly signal: AbortSignal;
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

const NEVER = Number.POSITIVE_INFINITY;

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
export const startDeadlines = (timeouts?: Timeouts, signal?: AbortSignal): Deadlines =>
  new CallClocks(timeouts, signal);

/** A class, and one instance kept, for the reason that llm-core's stream.ts gives. */
class CallClocks implements Deadlines {
  static readonly kept = new CallClocks(
    { connect: NEVER, firstEvent: NEVER, idle: NEVER, total: NEVER },
    undefined,
  );
  fault: LlmError | undefined;
  private readonly limits: Limits;
  private controller: AbortController | undefined;
  private stop: Stop | undefined;
  private stopped = false;
  private reason: unknown;
  private readonly caller: AbortSignal | undefined;
  private readonly started = performance.now();
  private readonly lastOfAll: number;
  private stage: Stage = "connect";
  private due: number;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private armedFor = NEVER;
  private over = false;
  private heard = false;
  /** The reader waits for the next sign of life. */
  private silent = false;
  private again = false;
  /** The timer that is set will notice a silence in time. */
  private watched = false;

  constructor(timeouts: Timeouts | undefined, signal: AbortSignal | undefined) {
    this.limits = timeouts === undefined ? DEFAULT_TIMEOUTS : { ...DEFAULT_TIMEOUTS, ...given(timeouts) };
    this.caller = signal;
    this.lastOfAll = this.started + this.limits.total;
    this.due = this.started + this.limits.connect;
    signal?.addEventListener("abort", this.follow, { once: true });
    if (signal?.aborted === true) this.follow();
    this.arm();
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.stopped) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  stopsWith(stop: Stop): void {
    this.stop = stop;
    if (this.stopped) stop(this.reason);
  }

  isDoneWith(stop: Stop): void {
    if (this.stop === stop) this.stop = undefined;
  }

  connected(): void {
    this.set("firstEvent", this.started + this.limits.firstEvent);
  }

  waiting(): void {
    if (!this.heard) return this.set("firstEvent", this.started + this.limits.firstEvent);
    this.silent = true;
    if (this.watched || this.over) return;
    this.due = performance.now() + this.limits.idle;
    this.arm();
  }

  arrived(): void {
    this.heard = true;
    this.stage = "idle";
    this.silent = false;
    this.due = NEVER;
  }

  leave(): void {
    if (!this.over) this.cut(new DOMException("the call was given up", "AbortError"));
  }

  end(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.caller?.removeEventListener("abort", this.follow);
  }

  private readonly follow = (): void => this.cut(this.caller?.reason);

  private cut(reason: unknown): void {
    if (this.stopped) return;
    this.stopped = true;
    this.reason = reason;
    this.controller?.abort(reason);
    this.stop?.(reason);
  }

  private readonly check = (): void => {
    const now = performance.now();
    const late = now - this.armedFor > LATE && !this.again;
    this.again = false;
    this.timer = undefined;
    this.armedFor = NEVER;
    if (this.silent) this.due = Math.min(this.due, now + this.limits.idle);
    if (late && now >= this.due) {
      // This process was busy, and what came meanwhile has not been looked at: that is the loop's next turn.
      this.again = true;
      this.armedFor = now + 1;
      this.timer = setTimeout(this.check, 1);
    } else if (now >= this.lastOfAll) this.pass("total");
    else if (now >= this.due) this.pass(this.stage);
    else this.arm();
  };

  private arm(): void {
    this.watched = this.silent;
    const now = performance.now();
    const next = Math.min(this.due, this.lastOfAll, this.silent ? now + this.limits.idle / 10 : this.due);
    if (next === NEVER || next >= this.armedFor) return;
    clearTimeout(this.timer);
    this.armedFor = next;
    // A timer longer than 2^31 ms would fire at once; it is set again when it fires too early.
    this.timer = setTimeout(this.check, Math.min(Math.max(0, next - now), MAX_TIMER));
  }

  private set(next: Stage, at: number): void {
    if (this.over) return;
    this.stage = next;
    this.due = at;
    if (at < this.armedFor) this.arm();
  }

  private pass(which: Stage | "total"): void {
    const { [which]: limit } = this.limits;
    this.fault = new LlmError("timeout", `${SAYS[which]} within ${seconds(limit)}`, {
      phase: PHASES[which],
      hint: `raise timeouts.${which} if it needs more`,
    });
    this.cut(this.fault);
  }
}

type Limits = { [K in keyof Timeouts]-?: number };

/** A timer that is so much late, in milliseconds, tells of a busy process and not of a silent backend. */
const LATE = 20;

const MAX_TIMER = 2 ** 31 - 1;

const seconds = (ms: number): string => (ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`);

function given(timeouts: Timeouts): Limits {
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
