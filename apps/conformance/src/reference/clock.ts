import { type CallOptions, DEFAULT_TIMEOUTS, LlmError } from "@enginehouse/llm-core";

/** The deadlines of one call. They run only while somebody waits for the backend. */
export interface Clock {
  /** Fires with the caller's signal, and when a deadline passes. */
  readonly signal: AbortSignal;
  /** What a deadline that passed is called. */
  readonly fault: LlmError | undefined;
  connected(): void;
  waiting(): void;
  arrived(): void;
  end(): void;
}

const PHASES = { connect: "connect", firstEvent: "first-event", idle: "stream", total: "stream" } as const;

export function createClock({ timeouts = {}, signal }: CallOptions): Clock {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let fault: LlmError | undefined;
  let heard = false;

  const ring = (which: keyof typeof PHASES, ms: number): ReturnType<typeof setTimeout> | undefined => {
    if (ms > LONGEST) return undefined;
    return setTimeout(() => {
      fault = new LlmError("timeout", `the backend did not answer within ${ms} ms`, {
        phase: PHASES[which],
        hint: `raise timeouts.${which} if it needs more`,
      });
      controller.abort(fault);
    }, ms);
  };
  const set = (which: keyof typeof PHASES): void => {
    clearTimeout(timer);
    timer = ring(which, timeouts[which] ?? DEFAULT_TIMEOUTS[which]);
  };
  const follow = (): void => controller.abort(signal?.reason);

  signal?.addEventListener("abort", follow, { once: true });
  if (signal?.aborted === true) follow();
  const total = ring("total", timeouts.total ?? DEFAULT_TIMEOUTS.total);
  set("connect");
  return {
    signal: controller.signal,
    get fault() {
      return fault;
    },
    connected: () => set("firstEvent"),
    waiting: () => set(heard ? "idle" : "firstEvent"),
    arrived() {
      heard = true;
      clearTimeout(timer);
    },
    end() {
      clearTimeout(timer);
      clearTimeout(total);
      signal?.removeEventListener("abort", follow);
    },
  };
}

/** What a timer can wait for, in milliseconds. */
const LONGEST = 2 ** 31 - 1;
