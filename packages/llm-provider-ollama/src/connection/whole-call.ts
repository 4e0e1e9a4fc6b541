import { type CallOptions, isLlmError, LlmError } from "@enginehouse/llm-core";

/** The time of a call that is more than one request: what was asked before the answer counts, too. */
export interface WholeCall {
  /** Whether there is a limit, and some of it is spent. */
  readonly spent: boolean;
  /** The call's options for its next request. */
  left(): CallOptions;
  /** The fault, with the limit that the caller gave and not with what was left of it. */
  told(error: unknown): unknown;
}

export function startWholeCall(options: CallOptions): WholeCall {
  const { total = Number.POSITIVE_INFINITY } = options.timeouts ?? {};
  const began = performance.now();
  const remaining = (): number => Math.max(0, total - Math.round(performance.now() - began));
  let spent = false;
  return {
    get spent() {
      return spent;
    },
    left() {
      const ms = remaining();
      spent = ms < total;
      return spent ? { ...options, timeouts: { ...options.timeouts, total: ms } } : options;
    },
    told(error) {
      if (!spent || !isLlmError(error) || error.code !== "timeout" || remaining() > 0) return error;
      const { phase, hint, cause } = error;
      const says = total < 1_000 ? `${total} ms` : `${total / 1_000} s`;
      return new LlmError("timeout", `the call was not finished within ${says}`, { phase, hint, cause });
    },
  };
}
