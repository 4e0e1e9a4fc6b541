/** Every fault leaves as RFC 9457 problem+json: what happened, with whom, what to do. Never a stack. */
import { type ErrorCode, isLlmError, redact } from "@enginehouse/llm-core";
import { HTTPException } from "hono/http-exception";

import { isLocked } from "../store/held.ts";
import type { Problem } from "./schemas.ts";

/** A fault of the service itself. The codes of llm-core's table travel as `LlmError`. */
export interface FaultInit {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly hint?: string | undefined;
  readonly retryable?: boolean | undefined;
  readonly issues?: Problem["issues"];
  readonly providerId?: string | undefined;
  readonly cause?: unknown;
}

const MARKER = Symbol.for("enginehouse.rag-fault");

export function fault(init: FaultInit): Error {
  const error = new Error(init.detail, init.cause === undefined ? undefined : { cause: init.cause });
  return Object.assign(error, { [MARKER]: init });
}

function readFault(error: unknown): FaultInit | undefined {
  if (typeof error !== "object" || error === null || !(MARKER in error)) return undefined;
  return (error as { [MARKER]: FaultInit })[MARKER];
}

/** HTTP's word for each code. What a backend did wrong is a 502 or 503 of ours, never a 500. */
const STATUS: Record<ErrorCode, number> = {
  aborted: 499,
  timeout: 504,
  unavailable: 503,
  unauthenticated: 502,
  forbidden: 502,
  "rate-limited": 429,
  "quota-exhausted": 502,
  "invalid-request": 400,
  "invalid-settings": 500,
  unsupported: 422,
  "model-not-found": 404,
  "model-not-installed": 409,
  "model-load-failed": 502,
  "out-of-memory": 507,
  "disk-full": 507,
  "context-overflow": 422,
  "input-too-long": 422,
  "content-filtered": 422,
  "invalid-response": 502,
  "stream-interrupted": 502,
  "output-invalid": 502,
  "provider-internal": 502,
  "shut-down": 503,
  "plugin-invalid": 502,
  "plugin-incompatible": 502,
  "plugin-load-failed": 502,
  "plugin-duplicate": 502,
};

const TITLES: Record<string, string> = {
  internal: "Something in the service failed",
  "not-found": "There is nothing here",
  "invalid-request": "The request is not right",
  "invalid-json": "The body is not JSON",
  "too-large": "Too large",
  empty: "The file is empty",
  "wrong-type": "This kind of file cannot be read",
  unsupported: "Not supported",
  "model-not-found": "No such model",
  "model-not-installed": "The model is not here yet",
  "model-load-failed": "The model could not be loaded",
  unavailable: "The backend cannot be reached",
  "stream-interrupted": "The answer broke off",
  "context-overflow": "It does not fit the model's window",
};

export function toProblem(error: unknown): Problem {
  const own = readFault(error);
  if (own !== undefined) {
    const { status, code, detail, hint, retryable, issues, providerId } = own;
    return clean({ status, code, detail: redact(detail), hint, retryable, issues, providerId });
  }
  if (isLlmError(error)) {
    return clean({
      title: isLocked(error) ? "The database is held by another program" : undefined,
      // With a provider, `status` is its backend's; without one it is what the service itself wants to say.
      status: error.provider === undefined ? (error.status ?? STATUS[error.code]) : STATUS[error.code],
      code: error.code,
      detail: error.message,
      hint: error.hint,
      retryable: error.retryable,
      providerId: error.provider,
      model: error.model,
      retryAfterMs: error.retryAfterMs,
    });
  }
  if (error instanceof HTTPException) return fromHttpException(error);
  return clean({
    status: 500,
    code: "internal",
    detail: "The service failed in a way that was not foreseen; nothing was lost.",
    hint: "Try again. If it happens again, report the line that the service wrote to its error output.",
  });
}

/** Whether this is a bug, to be logged: everything else has been foreseen. */
export function isBug(error: unknown): boolean {
  return readFault(error) === undefined && !isLlmError(error) && !(error instanceof HTTPException);
}

/** One line, for stderr. */
export function bugLine(error: unknown, where: string): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `enginehouse: bug in ${where}: ${redact(text).replaceAll(/\s*\n\s*/g, " | ")}`;
}

export function problemResponse(problem: Problem): Response {
  const headers: Record<string, string> = {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  };
  if (problem.retryAfterMs !== undefined)
    headers["retry-after"] = String(Math.ceil(problem.retryAfterMs / 1000));
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

/** `what` with what there is, so that the reader sees the way out. */
export function notFound(what: string, name: string, hint: string): Error {
  return fault({
    status: 404,
    code: `${what}-not-found`,
    detail: `There is no ${what} "${shorten(name)}".`,
    hint,
  });
}

/** What will come in a later version is refused, not ignored. */
export function unsupported(what: string, hint: string): Error {
  return fault({
    status: 422,
    code: "unsupported",
    detail: `${what} is not supported yet.`,
    hint,
    retryable: false,
  });
}

export function shorten(text: string, length = 120): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

type Loose = { [K in keyof Problem]?: Problem[K] | undefined } & Pick<Problem, "status" | "code" | "detail">;

function clean(loose: Loose): Problem {
  const known = Object.entries(loose).filter(([, value]) => value !== undefined);
  const problem = { type: "about:blank", title: TITLES[loose.code] ?? titleOf(loose.code) };
  return Object.assign(problem, Object.fromEntries(known) as Omit<Problem, "type" | "title">);
}

function titleOf(code: string): string {
  const words = code.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function fromHttpException(error: HTTPException): Problem {
  if (error.status === 400 && /json/i.test(error.message)) {
    return clean({
      status: 400,
      code: "invalid-json",
      detail: "The body of the request could not be read as JSON.",
      hint: "Check for a missing quote, a trailing comma or a cut-off body.",
      retryable: false,
    });
  }
  return clean({ status: error.status, code: "invalid-request", detail: error.message, retryable: false });
}
