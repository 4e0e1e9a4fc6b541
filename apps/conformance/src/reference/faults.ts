import { type ErrorCode, isLlmError, LlmError, type LlmErrorInit } from "@enginehouse/llm-core";

import type { PlainError } from "./wire.ts";

interface Case extends LlmErrorInit {
  readonly code: ErrorCode;
}

/** What a refusal is called: by its code where it has one, else by its status. */
export function refusalOf(
  status: number,
  headers: Readonly<Record<string, unknown>>,
  body: string,
): LlmError {
  const { code = "", message, limit, tokens } = errorIn(body);
  const { code: called, ...more } = BY_CODE[code] ?? BY_STATUS[status] ?? (status >= 500 ? BROKEN : INVALID);
  const seconds = Number(headers["retry-after"] ?? Number.NaN);
  return new LlmError(called, `the backend answered ${status}: ${message ?? "without a word of its own"}`, {
    phase: "request",
    status,
    retryable: status >= 500 && called !== "output-invalid" ? true : undefined,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1_000 : undefined,
    figures: limit === undefined ? undefined : figuresOf(called, limit, tokens),
    hint: message === undefined ? "is this the address of a model server?" : undefined,
    ...more,
  });
}

/** What a failed transfer is called. `begun`: a part of the answer had come. */
export function transportFault(error: unknown, begun: boolean): LlmError {
  if (isLlmError(error)) return error;
  if (error instanceof SyntaxError)
    return new LlmError("invalid-response", "the backend sent something that is not of its protocol", {
      cause: error,
      phase: "stream",
      hint: "is this the address of a model server?",
    });
  if (begun)
    return new LlmError("stream-interrupted", "the connection broke in the middle of the answer", {
      cause: error,
      phase: "stream",
    });
  return new LlmError("unavailable", `the backend could not be reached (${codeOf(error)})`, {
    cause: error,
    phase: "connect",
    hint: "start the backend, or correct baseUrl in the settings",
  });
}

/** What an error inside a download is called. */
export function pullFault(message: string): LlmError {
  const [, code] = PULL_WORDS.find(([words]) => words.test(message)) ?? [
    undefined,
    "provider-internal" as const,
  ];
  return new LlmError(code, `the download failed: ${message}`, { phase: "pull" });
}

const PULL_WORDS: readonly (readonly [RegExp, ErrorCode])[] = [
  [/nobody offers|not found|no such/i, "model-not-found"],
  [/no space|disk/i, "disk-full"],
];

const BROKEN: Case = { code: "provider-internal", hint: "look into the backend's log" };
const INVALID: Case = { code: "invalid-request" };

const BY_CODE: Readonly<Record<string, Case>> = {
  invalid: INVALID,
  overflow: { code: "context-overflow", hint: 'shorten the conversation, or set overflow to "drop-oldest"' },
  "too-long": { code: "input-too-long", hint: "split the text" },
  "batch-limit": { code: "invalid-request", hint: "send fewer texts at once" },
  unauthorized: { code: "unauthenticated", hint: "check the key in the settings" },
  forbidden: { code: "forbidden" },
  "model-missing": { code: "model-not-found", hint: "pull the model, or choose one that listModels tells" },
  busy: { code: "rate-limited" },
  "output-cut": { code: "output-invalid", hint: "raise maxTokens" },
  "out-of-memory": { code: "out-of-memory", hint: "choose a smaller model or window" },
  unavailable: { code: "unavailable" },
};

const BY_STATUS: Readonly<Record<number, Case>> = {
  401: { code: "unauthenticated", hint: "check the key in the settings" },
  403: { code: "forbidden" },
  404: { code: "model-not-found" },
  429: { code: "rate-limited" },
  502: { code: "unavailable" },
  503: { code: "unavailable" },
};

const figuresOf = (code: ErrorCode, limit: number, tokens = Number.NaN): Record<string, number> =>
  code === "context-overflow" ? { promptTokens: tokens, window: limit } : { tokens, limit };

function errorIn(body: string): PlainError {
  try {
    const { error } = JSON.parse(body) as { error?: PlainError };
    return error ?? {};
  } catch {
    return {};
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
