import { LlmError, type LlmErrorInit, toLlmError } from "./errors.ts";
import { follow } from "./follow.ts";

/** One running call: a signal of its own that follows the caller's, and the one place where a fault gets its final form. */
export interface Call {
  readonly signal: AbortSignal;
  /** The error to throw for `error`, whoever caused it. */
  fail(error: unknown, known?: LlmErrorInit): LlmError;
  /** The consumer left: the work stops, nobody hears of it. */
  leave(): void;
  /** Must be called once, however the call ended: nothing stays on the caller's signal. */
  end(): void;
}

export interface Calls {
  /**
   * Throws `shut-down` after a close, and `aborted` when the caller's signal already is. `onStop` is called when the work
   * is told to stop, before the call's signal fires: a listener costs more than a call.
   */
  begin(
    operation: string,
    model: string | undefined,
    signal: AbortSignal | undefined,
    onStop?: () => void,
  ): Call;
  /** Ends all running calls; later ones are refused. */
  shutDown(): void;
}

export function createCalls(provider: string): Calls {
  const running = new Set<(reason?: unknown) => void>();
  let closed = false;

  const shut = (known: LlmErrorInit): LlmError =>
    new LlmError("shut-down", `provider "${provider}" was closed`, {
      ...known,
      hint: "create it again to go on",
    });

  return {
    begin(operation, model, signal, onStop) {
      const known: LlmErrorInit = { provider, operation, model };
      if (closed) throw shut(known);
      if (signal?.aborted === true) throw abortedBy(signal, known);
      const controller = new AbortController();
      const stop = (reason?: unknown): void => {
        onStop?.();
        controller.abort(reason);
      };
      const unfollow = signal && follow(signal, () => stop(signal.reason));
      running.add(stop);
      return {
        signal: controller.signal,
        fail(error, more = {}) {
          const all = { ...known, ...more };
          if (signal?.aborted === true) return abortedBy(signal, all);
          if (closed) return shut({ ...all, cause: error });
          return toLlmError(error, "provider-internal", all);
        },
        leave: stop,
        end() {
          running.delete(stop);
          unfollow?.();
        },
      };
    },
    shutDown() {
      closed = true;
      for (const stop of running) stop();
    },
  };
}

/** How long a plugin whose work is done or aborted may take to say so itself, in milliseconds. */
export const GRACE = 100;

/** Whether `work` settled within `ms`. Its outcome is nobody's concern any more. */
export async function settledWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const settled = work.then(
    () => true,
    () => true,
  );
  return Promise.race([settled, late]).finally(() => clearTimeout(timer));
}

/** `work`, or a rejection soon after the abort of `signal` where whoever does the work does not listen to it. */
export async function heeding<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  let stop = (): void => undefined;
  const deaf = new Promise<never>((_, reject) => {
    stop = () => {
      void settledWithin(GRACE, work).then((settled) => {
        if (!settled) reject(signal.reason as Error);
      });
    };
  });
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    return await Promise.race([work, deaf]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The model that a call is about, as far as its input tells. */
export function modelOf(input: unknown): string | undefined {
  if (typeof input === "string") return input;
  if (typeof input !== "object" || input === null || !("model" in input)) return undefined;
  return typeof input.model === "string" ? input.model : undefined;
}

function abortedBy(signal: AbortSignal, known: LlmErrorInit): LlmError {
  return new LlmError("aborted", `the call to "${known.provider}" was cancelled by its caller`, {
    ...known,
    retryable: false,
    cause: signal.reason,
  });
}
