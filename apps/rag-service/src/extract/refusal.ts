import type { JobError } from "../store/store.ts";

const REFUSAL = Symbol("refusal");

/** An error that tells the owner of a document what to do about it. */
export function refusal(error: JobError): Error {
  return Object.assign(new Error(error.message), { [REFUSAL]: error });
}

export function readRefusal(error: unknown): JobError | undefined {
  return typeof error === "object" && error !== null && REFUSAL in error
    ? (error[REFUSAL] as JobError)
    : undefined;
}

export function unreadable(what: string, cause: unknown): JobError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return {
    code: "invalid-request",
    reason: "broken",
    message: `the ${what} cannot be read: ${detail}`,
    hint: "Open it in the program it comes from, save it again, and add the new file.",
    retryable: false,
  };
}
