/** Tries again what a provider may do the next time. Here until the runtime package owns retries. */
import { setTimeout as delay } from "node:timers/promises";

import { isLlmError, LlmError, toLlmError } from "@enginehouse/llm-core";

import { isLocked } from "../store/held.ts";

export interface RetryOptions {
  /** Attempts in all. */
  readonly attempts: number;
  /** Before the second attempt; doubled for each further one. */
  readonly backoffMs: number;
  readonly signal: AbortSignal;
}

/** No wait is longer, whatever the backend asks for. */
const LONGEST_MS = 30_000;

/** The value of the first attempt that succeeds, or the error of the last; what cannot pass is thrown at once. */
export async function withRetries<Value>(
  attempt: () => Promise<Value>,
  { attempts, backoffMs, signal }: RetryOptions,
): Promise<Value> {
  for (let made = 1; ; made++) {
    try {
      return await attempt();
    } catch (error) {
      // What holds the store has a patience of its own: no provider failed.
      if (signal.aborted || isLocked(error) || !isLlmError(error) || error.retryable !== true) throw error;
      if (made >= attempts) throw exhausted(error, made);
      const wait = Math.max(backoffMs * 2 ** (made - 1), error.retryAfterMs ?? 0);
      await delay(Math.min(wait, LONGEST_MS), undefined, { signal }).catch(() => {
        throw toLlmError(signal.reason, "aborted");
      });
    }
  }
}

function exhausted(error: LlmError, made: number): LlmError {
  if (made === 1) return error;
  const { code, message, provider, operation, model, phase, status, hint } = error;
  const known = { provider, operation, model, phase, status, hint };
  return new LlmError(code, `${message} (${made} attempts in a row failed)`, {
    ...known,
    retryable: true,
    cause: error,
  });
}
