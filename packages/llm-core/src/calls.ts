import { LlmError, type LlmErrorInit, toLlmError } from "./errors.ts";

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
  /** Throws `shut-down` after a close, and `aborted` when the caller's signal already is. */
  begin(operation: string, model: string | undefined, signal: AbortSignal | undefined): Call;
  /** Ends all running calls; later ones are refused. */
  shutDown(): void;
}

export function createCalls(provider: string): Calls {
  const running = new Set<AbortController>();
  let closed = false;

  const shut = (known: LlmErrorInit): LlmError =>
    new LlmError("shut-down", `provider "${provider}" was closed`, {
      ...known,
      hint: "create it again to go on",
    });

  return {
    begin(operation, model, signal) {
      const known: LlmErrorInit = { provider, operation, model };
      if (closed) throw shut(known);
      if (signal?.aborted === true) throw abortedBy(signal, known);
      const controller = new AbortController();
      const follow = (): void => controller.abort(signal?.reason);
      signal?.addEventListener("abort", follow, { once: true });
      running.add(controller);
      return {
        signal: controller.signal,
        fail(error, more = {}) {
          const all = { ...known, ...more };
          if (signal?.aborted === true) return abortedBy(signal, all);
          if (closed) return shut({ ...all, cause: error });
          return toLlmError(error, "provider-internal", all);
        },
        leave: () => controller.abort(),
        end() {
          running.delete(controller);
          signal?.removeEventListener("abort", follow);
        },
      };
    },
    shutDown() {
      closed = true;
      for (const controller of running) controller.abort();
    },
  };
}

function abortedBy(signal: AbortSignal, known: LlmErrorInit): LlmError {
  return new LlmError("aborted", `the call to "${known.provider}" was cancelled by its caller`, {
    ...known,
    retryable: false,
    cause: signal.reason,
  });
}
