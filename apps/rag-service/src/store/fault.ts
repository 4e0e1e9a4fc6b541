import type { ErrorCode } from "@enginehouse/llm-core";

/** What crosses from a working thread to the caller's, where it becomes an `LlmError`. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
}

const FAULT = Symbol("fault");

/** An error to throw inside a working thread, which knows nothing of the other packages. */
export function fault(code: ErrorCode, message: string, hint?: string, status?: number): Error {
  return Object.assign(new Error(message), { [FAULT]: { code, message, hint, status } satisfies Fault });
}

/** Any error as data. SQLite's own become what they mean. */
export function readFault(error: unknown): Fault {
  if (typeof error === "object" && error !== null && FAULT in error) return error[FAULT] as Fault;
  const message = error instanceof Error ? error.message : String(error);
  if (/database or disk is full|ENOSPC/i.test(message)) {
    return {
      code: "disk-full",
      message: `the database cannot grow: ${message}`,
      hint: "Free some space on the disk of the data folder, then try again.",
    };
  }
  if (/database is locked/i.test(message)) {
    return {
      code: "unavailable",
      message: `another program holds the database: ${message}`,
      hint: "Close the program that holds it, such as a database browser or a backup, then try again.",
      retryAfterMs: 5_000,
    };
  }
  if (/malformed|not a database/i.test(message)) {
    return {
      code: "invalid-response",
      message: `the database is damaged: ${message}`,
      hint: "Restore it from a backup, or move the file away to start anew.",
    };
  }
  return { code: "provider-internal", message: `the database refused the operation: ${message}` };
}
