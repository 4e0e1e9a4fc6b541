import {
  type ChatRequest,
  type ErrorCode,
  isLlmError,
  LlmError,
  type LlmErrorInit,
} from "@enginehouse/llm-core";
import { messageIn } from "@enginehouse/llm-wire";

import { isRecord, numberIn } from "./wire.ts";

export interface About {
  readonly model?: string | undefined;
  /** The route that was asked. */
  readonly path?: string | undefined;
}

/** What Ollama's wording tells of a reply with an error status; the rest is left to the status. */
export function readFault(status: number, body: string, about: About): LlmError | undefined {
  if ((status === 404 || status === 405) && !body.trimStart().startsWith("{"))
    return noSuchRoute(status, about);
  if (status === 403 && body.trim() === "") {
    return new LlmError("forbidden", "Ollama refused the request's host or origin", {
      status,
      phase: "request",
      hint: "ask it as 127.0.0.1 or localhost, or name the origin in the server's OLLAMA_ORIGINS",
    });
  }
  // Busy, refused or too many: the status says it, and whether to wait.
  if (status === 429 || status === 401 || status === 402 || status === 403 || status === 503)
    return undefined;
  return worded(messageIn(body), about, { status, phase: "request" });
}

/** An error line in the middle of a stream, after status 200. */
export function readErrorLine(error: unknown, about: About, init: LlmErrorInit): LlmError {
  const text = typeof error === "string" ? error : JSON.stringify(error);
  return (
    worded(text, about, init) ??
    new LlmError("provider-internal", `Ollama failed: ${text.slice(0, 300)}`, {
      ...init,
      hint: "look into the server's log",
    })
  );
}

interface Row {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  /** Where it is better said than the server says it. */
  readonly says?: string | ((about: About) => string);
  readonly hint?: string | ((about: About) => string);
  readonly retryable?: boolean;
}

/** Ollama has neither codes nor types: only these texts, of which each was seen or stands in its source. The first row that fits counts. */
const ROWS: readonly Row[] = [
  {
    pattern:
      /requires more system memory|out of memory|cudaMalloc failed|failed to allocate|insufficient memory/i,
    code: "out-of-memory",
    hint: "unload another model, ask for a smaller contextWindow, or take a smaller quantization",
  },
  {
    pattern: /no space left on device|not enough (?:disk )?space|disk is full/i,
    code: "disk-full",
    hint: "free some disk, or point the server's OLLAMA_MODELS at another one",
  },
  {
    pattern: /invalid tool call arguments/i,
    code: "output-invalid",
    hint: "the output limit may have cut the call: raise maxTokens",
  },
  {
    pattern: /does not support (?:embeddings|embed)|not support embedding/i,
    code: "unsupported",
    hint: "choose an embedding model",
  },
  {
    // Until 0.10 thinking was on or off.
    pattern: /field ChatRequest\.think of type bool/,
    code: "unsupported",
    says: "this Ollama server knows no levels of thinking",
    hint: "update the server",
  },
  {
    pattern: /does not support|think value .* is not supported/i,
    code: "unsupported",
    hint: 'choose another model, leave the option out, or set unsupported to "warn"',
  },
  {
    pattern: /requires a newer version of Ollama|newer version of Ollama/i,
    code: "unsupported",
    hint: "update the Ollama server",
  },
  {
    pattern: /pull model manifest: file does not exist/i,
    code: "model-not-found",
    says: ({ model }) => `the registry does not have the model "${model ?? ""}"`,
    hint: "check its name and tag at https://ollama.com/library",
  },
  {
    pattern: /(?:pull|download).*(?:unauthorized|401)|unauthorized|must be signed in/i,
    code: "unauthenticated",
    hint: "sign in with `ollama signin`, or check the key in the settings",
  },
  {
    pattern:
      /dial tcp|no such host|connection refused|network is unreachable|i\/o timeout|TLS handshake|max retries exceeded|connection reset/i,
    code: "unavailable",
    hint: "the Ollama server could not reach its registry: is its computer online?",
  },
  {
    pattern: /digest mismatch/i,
    code: "invalid-response",
    hint: "pull the model again",
    retryable: true,
  },
  {
    pattern: /model .* not found|not found, try pulling|model not found/i,
    code: "model-not-found",
    hint: ({ model }) => `pull it first: \`ollama pull ${model ?? "NAME"}\`, or pullModel`,
  },
  {
    pattern:
      /llama runner process has terminated|unable to load model|error loading model|timed out waiting for llama runner|failed to load model/i,
    code: "model-load-failed",
    hint: "look into the server's log; the model may need a newer Ollama, or be damaged: pull it again",
  },
  {
    pattern: /unexpected EOF|error was encountered while running the model|runner process no longer running/i,
    code: "stream-interrupted",
    says: "Ollama's engine died while the model wrote",
    hint: "ask again: the server starts its engine anew; its log says why it died",
  },
  {
    pattern: /invalid format|JSON schema|Unable to generate parser|failed to parse grammar/i,
    code: "invalid-request",
    hint: "simplify the schema of responseFormat",
  },
  {
    pattern:
      /option ".*" must be of type|json: cannot unmarshal|invalid (?:model name|input type|think value|option)|is required|missing request body/i,
    code: "invalid-request",
  },
];

function worded(text: string, about: About, init: LlmErrorInit): LlmError | undefined {
  const overflow = readOverflow(text, about, init);
  if (overflow !== undefined) return overflow;
  // A request whose body was cut ends so, too; then it is the request that was wrong.
  if (init.status === 400 && /unexpected EOF/i.test(text))
    return new LlmError("invalid-request", `Ollama could not read the request: ${text}`, init);
  const row = ROWS.find(({ pattern }) => pattern.test(text));
  if (row === undefined) return undefined;
  const { says, hint, retryable } = row;
  // Before the answer began nothing was interrupted: the server answered 500.
  const code =
    row.code === "stream-interrupted" && init.status !== undefined ? "provider-internal" : row.code;
  const better = typeof says === "function" ? says(about) : says;
  const message = better === undefined ? `Ollama says: ${text}` : `${better} (${text})`;
  return new LlmError(code, message, {
    ...init,
    retryable: retryable ?? (code === "provider-internal" ? true : init.retryable),
    figures: code === "out-of-memory" ? memoryIn(text) : undefined,
    hint: typeof hint === "function" ? hint(about) : hint,
  });
}

/** Two texts say it: llama-server's own reply, as JSON inside the message, and one sentence without figures. */
function readOverflow(text: string, { path }: About, init: LlmErrorInit): LlmError | undefined {
  const told = nestedError(text);
  const says =
    told?.["type"] === "exceed_context_size_error" ||
    /exceeds? (?:the )?(?:available |maximum )?context (?:length|size)|exceeds maximum context/i.test(text);
  if (!says) return undefined;
  const promptTokens = told && numberIn(told, "n_prompt_tokens");
  const window = told && numberIn(told, "n_ctx");
  const figures =
    promptTokens === undefined && window === undefined
      ? undefined
      : { ...(promptTokens !== undefined && { promptTokens }), ...(window !== undefined && { window }) };
  if (path === "/api/embed") {
    return new LlmError("input-too-long", "a text is longer than the embedding model reads", {
      ...init,
      figures,
      hint: "split the text into smaller ones",
    });
  }
  const sizes =
    promptTokens === undefined || window === undefined ? "" : `: ${promptTokens} tokens, ${window} fit`;
  return new LlmError("context-overflow", `the request does not fit the model's window${sizes}`, {
    ...init,
    figures,
    hint: 'send less, raise the setting contextWindow, or set overflow to "drop-oldest"',
  });
}

function nestedError(text: string): Record<string, unknown> | undefined {
  const from = text.indexOf("{");
  if (from === -1) return undefined;
  try {
    const value: unknown = JSON.parse(text.slice(from));
    const inner = isRecord(value) ? value["error"] : undefined;
    return isRecord(inner) ? inner : undefined;
  } catch {
    return undefined;
  }
}

/** `model requires more system memory (5.6 GiB) than is available (3.1 GiB)` */
function memoryIn(text: string): Record<string, number> | undefined {
  const [needed, available] = [...text.matchAll(/\(([\d.]+) ([KMGT]i?B)\)/g)].map(([, number, unit = ""]) =>
    Math.round(Number(number) * (UNITS[unit] ?? 1)),
  );
  if (needed === undefined || available === undefined) return undefined;
  return { needed, available };
}

const UNITS: Readonly<Record<string, number>> = {
  KiB: 1_024,
  MiB: 1_024 ** 2,
  GiB: 1_024 ** 3,
  TiB: 1_024 ** 4,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

function noSuchRoute(status: number, { path }: About): LlmError {
  return new LlmError("unsupported", `there is no ${path ?? "such route"} at this address`, {
    status,
    phase: "request",
    hint: "is this the address of an Ollama server? An older one may lack this route: update it",
  });
}

/** What the request asked for and the model cannot, by the wording of a refusal. */
export type Lack = "tools" | "thinking" | "thinking-level" | "think-field" | "vision";

export function lackIn(error: unknown): Lack | undefined {
  if (!isLlmError(error) || error.code !== "unsupported" || error.status !== 400) return undefined;
  if (/think value .* is not supported|ChatRequest\.think of type bool/i.test(error.message))
    return "thinking-level";
  const [, what = ""] = /does not support (tools|thinking|vision|image)/i.exec(error.message) ?? [];
  if (what === "tools" || what === "thinking") return what;
  return what === "" ? undefined : "vision";
}

/** A level is only a wish: where there is none, thinking itself is left. The rest is the caller's policy. */
export function mayDoWithout(lack: Lack, { unsupported }: ChatRequest): boolean {
  return lack === "thinking-level" || unsupported === "warn";
}

export const isOverflow = (error: unknown): error is LlmError =>
  isLlmError(error) && error.code === "context-overflow";

/** The refusal of an older server tells no figures: the window in force is known otherwise. */
export function withWindow(error: LlmError, window: number | undefined): LlmError {
  if (error.figures !== undefined || window === undefined) return error;
  const { phase, status, hint, cause } = error;
  return new LlmError("context-overflow", `${error.message} of ${window} tokens`, {
    phase,
    status,
    hint,
    cause,
    figures: { window },
  });
}

export const START_HINT = "start it with `ollama serve`; install it from https://ollama.com/download";

/** A server that is not there: on this machine it can be started. */
export function withAdvice(error: unknown, local: boolean): unknown {
  if (!local || !isLlmError(error) || error.code !== "unavailable" || error.phase !== "connect") return error;
  const { message, phase, retryable, status, cause } = error;
  return new LlmError("unavailable", message, { phase, retryable, status, cause, hint: START_HINT });
}
