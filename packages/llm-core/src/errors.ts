import type { ToolCallEvent, Usage } from "./events.ts";
import { redact } from "./redact.ts";

/**
 * Every fault of the house has one of these codes. `retryable` says whether the same request, sent again
 * unchanged, may succeed: `undefined` means that the code alone does not tell.
 */
export const ERROR_CODES = {
  aborted: { retryable: false, says: "the caller cancelled the call" },
  timeout: { retryable: true, says: "a deadline of the call passed" },
  unavailable: { retryable: true, says: "the backend could not be reached, or cannot answer at present" },
  unauthenticated: { retryable: false, says: "the backend refused the credentials" },
  forbidden: { retryable: false, says: "the credentials do not allow this" },
  "rate-limited": { retryable: true, says: "the backend asks for patience" },
  "quota-exhausted": { retryable: false, says: "the account behind the credentials has nothing left" },
  "invalid-request": { retryable: false, says: "the request is wrong and would be wrong again" },
  "invalid-settings": { retryable: false, says: "the provider's settings are wrong" },
  unsupported: { retryable: false, says: "the provider or the model cannot do what was asked" },
  "model-not-found": { retryable: false, says: "the backend does not have this model" },
  "model-not-installed": { retryable: false, says: "the model is known, but it is not here yet" },
  "model-load-failed": { retryable: false, says: "the model is here and could not be loaded" },
  "out-of-memory": { retryable: undefined, says: "the memory does not suffice" },
  "disk-full": { retryable: false, says: "the disk does not suffice" },
  "context-overflow": { retryable: false, says: "the request does not fit the model's context window" },
  "input-too-long": { retryable: false, says: "a text is longer than the embedding model reads" },
  "content-filtered": { retryable: false, says: "the backend withheld the answer" },
  "invalid-response": { retryable: undefined, says: "the backend's reply could not be understood" },
  "stream-interrupted": { retryable: true, says: "the answer broke off before its end" },
  "output-invalid": {
    retryable: undefined,
    says: "the model's output does not have the form that was asked for",
  },
  "provider-internal": {
    retryable: undefined,
    says: "the provider or its backend failed in an unexpected way",
  },
  "shut-down": { retryable: false, says: "the provider was closed" },
  "plugin-invalid": { retryable: false, says: "a plugin's manifest or export breaks the contract" },
  "plugin-incompatible": {
    retryable: false,
    says: "a plugin speaks a contract version that this host does not",
  },
  "plugin-load-failed": { retryable: false, says: "a plugin's module could not be imported" },
  "plugin-duplicate": { retryable: false, says: "two packages claim one provider id" },
} as const satisfies Record<string, { retryable: boolean | undefined; says: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Where in a call the fault arose. */
export type ErrorPhase =
  | "settings"
  | "connect"
  | "request"
  | "first-event"
  | "stream"
  | "load"
  | "pull"
  | "close";

/** What had arrived before a stream broke. Only what is known is there. */
export interface PartialAnswer {
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCallEvent[];
  readonly usage?: Usage | undefined;
}

export interface LlmErrorInit {
  readonly provider?: string | undefined;
  readonly operation?: string | undefined;
  readonly model?: string | undefined;
  readonly phase?: ErrorPhase | undefined;
  /** Default: what the code's row says. Give it only when the case is known better. */
  readonly retryable?: boolean | undefined;
  /** How long the backend asks to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The backend's HTTP status. */
  readonly status?: number | undefined;
  readonly partial?: PartialAnswer | undefined;
  /** Figures of a `context-overflow`, an `input-too-long` or an `out-of-memory`: tokens or bytes. */
  readonly figures?: Readonly<Record<string, number>> | undefined;
  /** What to do next, as one sentence for a person. */
  readonly hint?: string | undefined;
  /** What was thrown, untouched: a printed `LlmError` hides the secrets of its cause, the cause printed alone does not. */
  readonly cause?: unknown;
}

const MARKER = Symbol.for("enginehouse.llm-error");

/** The only error class. Recognise it with `isLlmError`: two copies of this package may be installed. */
export class LlmError extends Error {
  override readonly name = "LlmError";
  readonly code: ErrorCode;
  readonly provider: string | undefined;
  readonly operation: string | undefined;
  readonly model: string | undefined;
  readonly phase: ErrorPhase | undefined;
  readonly retryable: boolean | undefined;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;
  readonly partial: PartialAnswer | undefined;
  readonly figures: Readonly<Record<string, number>> | undefined;
  readonly hint: string | undefined;

  static {
    // How Node, Deno and Bun print it: a cause shows what it says, not what hangs on it, such as a request's headers.
    Object.defineProperty(this.prototype, Symbol.for("nodejs.util.inspect.custom"), { value: printed });
  }

  constructor(code: ErrorCode, message: string, init: LlmErrorInit = {}) {
    super(redact(message), init.cause === undefined ? undefined : { cause: init.cause });
    Object.defineProperty(this, MARKER, { value: true });
    this.code = code;
    this.provider = init.provider;
    this.operation = init.operation;
    this.model = init.model;
    this.phase = init.phase;
    // A newer copy of this package may have codes that this one does not know.
    this.retryable =
      init.retryable ?? (Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code].retryable : undefined);
    this.retryAfterMs = init.retryAfterMs;
    this.status = init.status;
    this.partial = init.partial;
    this.figures = init.figures;
    this.hint = init.hint === undefined ? undefined : redact(init.hint);
  }

  /** The error as data for a log or a reply: no stack, no cause, no answer text. */
  toJSON(): Record<string, unknown> {
    const {
      code,
      message,
      provider,
      operation,
      model,
      phase,
      retryable,
      retryAfterMs,
      status,
      figures,
      hint,
    } = this;
    return {
      code,
      message,
      provider,
      operation,
      model,
      phase,
      retryable,
      retryAfterMs,
      status,
      figures,
      hint,
    };
  }
}

function printed(
  this: LlmError,
  _depth: number,
  options: object,
  inspect: (value: unknown, options: object) => string,
): string {
  const { message: _, ...data } = this.toJSON();
  const known = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
  const lines = [`${redact(this.stack ?? String(this))} ${inspect(known, options)}`];
  for (let at = this.cause, depth = 0; at !== undefined && depth < 5; depth += 1) {
    lines.push(`  [cause]: ${redact(at instanceof Error ? `${at.name}: ${at.message}` : textOf(at))}`);
    at = at instanceof Error ? at.cause : undefined;
  }
  return lines.join("\n");
}

/** True for an `LlmError` of any copy of this package. */
export function isLlmError(value: unknown): value is LlmError {
  return typeof value === "object" && value !== null && MARKER in value;
}

/** `error` itself where it is an `LlmError`, with what `known` adds; anything else wrapped as `code`, its text kept. */
export function toLlmError(error: unknown, code: ErrorCode, known: LlmErrorInit = {}): LlmError {
  if (isLlmError(error)) return withDetails(error, known);
  const text = textOf(error);
  return new LlmError(code, text === "" ? ERROR_CODES[code].says : text, { ...known, cause: error });
}

function textOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  if (thrown === undefined || thrown === null) return "";
  if (typeof thrown !== "object") return String(thrown as string | number | symbol);
  return "message" in thrown && typeof thrown.message === "string" ? thrown.message : "";
}

/** A copy of `error` in which what it does not say itself is filled from `known`. */
export function withDetails(error: LlmError, known: LlmErrorInit): LlmError {
  const changed = DETAILS.some((key) => error[key] === undefined && known[key] !== undefined);
  return changed ? copyOf(error, { ...known, ...said(error), cause: error.cause ?? known.cause }) : error;
}

/** The same with this partial answer, whatever it had of its own. */
export function withPartial(error: LlmError, partial: PartialAnswer | undefined): LlmError {
  if (partial === undefined || error.partial === partial) return error;
  return copyOf(error, { ...said(error), partial, cause: error.cause });
}

function copyOf({ code, message, stack }: LlmError, init: LlmErrorInit): LlmError {
  const copy = new LlmError(code, message, init);
  if (stack !== undefined) copy.stack = stack;
  return copy;
}

const said = (error: LlmError): LlmErrorInit =>
  Object.fromEntries(DETAILS.filter((key) => error[key] !== undefined).map((key) => [key, error[key]]));

const DETAILS = [
  "provider",
  "operation",
  "model",
  "phase",
  "retryable",
  "retryAfterMs",
  "status",
  "partial",
  "figures",
  "hint",
] as const;
