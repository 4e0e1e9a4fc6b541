import type { Problem } from "../../src/api/schemas.ts";

export type { Problem };

/** The bearer of a problem that the service, or the way to it, reported. */
interface ProblemError extends Error {
  readonly problem: Problem;
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return await send<T>("GET", path, undefined, signal);
}

export async function sendJson<T>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
): Promise<T> {
  return await send<T>(method, path, body);
}

/** A reply that is known to be good; anything else is thrown as a problem. */
export async function request(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    if (init.signal?.aborted === true) throw cause;
    throw problemError(unreachable(), cause);
  }
  if (response.ok) return response;
  throw problemError(await readProblem(response));
}

export function problemError(problem: Problem, cause?: unknown): ProblemError {
  return Object.assign(new Error(problem.detail, { cause }), { problem });
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Error && "problem" in error) return error.problem as Problem;
  return {
    type: "about:blank",
    title: "The page failed",
    status: 0,
    code: "page",
    detail: error instanceof Error ? error.message : String(error),
    hint: "Reload the page.",
    retryable: true,
  };
}

export function unreachable(): Problem {
  return {
    type: "about:blank",
    title: "The service does not answer",
    status: 0,
    code: "unreachable",
    detail: `Nothing answers at ${location.host}.`,
    hint: "Look whether the service is still running, start it again if not, then try again.",
    retryable: true,
  };
}

async function send<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { method, headers: { accept: "application/json" } };
  if (signal !== undefined) init.signal = signal;
  if (body !== undefined) {
    init.headers = { accept: "application/json", "content-type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const response = await request(path, init);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

async function readProblem(response: Response): Promise<Problem> {
  const fallback: Problem = {
    type: "about:blank",
    title: "The service refused",
    status: response.status,
    code: `http-${response.status}`,
    detail: `The service answered ${response.status} ${response.statusText}.`.replace(" .", "."),
  };
  try {
    const body: unknown = await response.json();
    if (typeof body === "object" && body !== null && "detail" in body)
      return { ...fallback, ...body } as Problem;
  } catch {
    // Not JSON: the status has to do.
  }
  return fallback;
}
