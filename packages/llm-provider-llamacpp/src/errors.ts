import { type ErrorCode, isLlmError, LlmError, type LlmErrorInit } from "@enginehouse/llm-core";

import type { Fault } from "./wire.ts";

/** What node-llama-cpp says in its exceptions: by class name, as most classes are not exported, then by wording. */
export function readLlamaFault(error: unknown, known: LlmErrorInit = {}): LlmError {
  if (isLlmError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  const name = error instanceof Error ? error.constructor.name : "";
  const row = ROWS.find(([pattern]) => pattern.test(`${name}: ${message}`));
  if (row === undefined) {
    const code = known.phase === "load" ? "model-load-failed" : "provider-internal";
    return new LlmError(code, message, { ...known, cause: error });
  }
  const [, code, says, hint] = row;
  return new LlmError(code, says ?? message, { hint, ...known, cause: error });
}

const ROWS: readonly (readonly [RegExp, ErrorCode, says?: string | undefined, hint?: string])[] = [
  [
    /^NoBinaryFoundError/,
    "unavailable",
    "there is no llama.cpp build for this system",
    "see the systems that node-llama-cpp supports; a package manager that leaves out optional dependencies leaves out the builds, too",
  ],
  [/^DisposedError|Object is disposed/, "shut-down", "the model was unloaded while it worked"],
  [
    /^InsufficientMemoryError|out of memory|failed to allocate/i,
    "out-of-memory",
    undefined,
    "load it with a smaller contextWindow, choose a smaller model, or unload another one",
  ],
  [/^InvalidGgufMagicError/, "model-load-failed", "the file is not a GGUF model", "fetch it again"],
  [/ENOENT/, "model-not-found", undefined, "the file has gone since it was listed"],
  [/longer than the usable context size|input is too long/i, "input-too-long"],
  [
    /context size is too small|Failed to compress chat history|did not return a history that fits/,
    "context-overflow",
  ],
  [
    /rankings is not supported/,
    "unsupported",
    "this model does not rerank",
    "choose a reranker: a model with a ranking head",
  ],
  [/^LlamaJsonSchemaValidationError|^LlamaFunctionCallValidationError/, "output-invalid"],
  [/^UnsupportedError|not supported/, "unsupported"],
  [/^LlamaGrammar|parse grammar/i, "invalid-request"],
];

/** An error as data, for the way out of the child. */
export function encodeFault(error: unknown): Fault {
  const known = isLlmError(error) ? error : readLlamaFault(error);
  const { code, message, phase, retryable, retryAfterMs, figures, hint, cause } = known;
  return {
    code,
    message,
    details: { phase, retryable, retryAfterMs, figures, hint },
    ...(cause !== undefined && {
      cause: cause instanceof Error ? (cause.stack ?? cause.message) : JSON.stringify(cause),
    }),
  };
}

export function decodeFault({ code, message, details, cause }: Fault): LlmError {
  return new LlmError(code, message, { ...details, ...(cause !== undefined && { cause: new Error(cause) }) });
}
