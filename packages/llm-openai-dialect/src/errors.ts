import { type ErrorCode, LlmError } from "@enginehouse/llm-core";

import { innermost, overflowIn } from "./overflow-texts.ts";
import { isRecord, type WireRecord } from "./wire.ts";

/** An error as a server tells it, in whatever shape it came. */
export interface WireError {
  readonly message: string;
  readonly type?: string | undefined;
  readonly code?: string | number | undefined;
  readonly rest?: WireRecord | undefined;
}

/** What an error is about. */
export interface ErrorContext {
  readonly operation: "chat" | "embed" | "other";
  /** The HTTP status, where the reply had one that says so. */
  readonly status?: number | undefined;
}

/** The error in a piece of a stream or in the body of a reply; `undefined` where it is none. */
export function errorIn(value: unknown, event = "message"): WireError | undefined {
  if (!isRecord(value)) return undefined;
  const { error, object, type } = value;
  if (typeof error === "string" && error !== "") return { message: error, rest: value };
  if (isRecord(error)) return readError(error);
  // No server says so by its documentation; what is neither nothing nor `false` is no answer.
  if (Array.isArray(error) || error === true || typeof error === "number")
    return { message: JSON.stringify(error), rest: value };
  if (object === "error" || type === "error" || event === "error") return readError(value);
  return undefined;
}

function readError(error: WireRecord): WireError {
  const message = textIn(error) ?? JSON.stringify(error);
  const inner = innermost(message);
  if (inner !== undefined) return readError(inner);
  const { type, code } = error;
  return {
    message,
    type: typeof type === "string" ? type : undefined,
    code: typeof code === "string" || typeof code === "number" ? code : undefined,
    rest: error,
  };
}

function textIn({ message, error, detail }: WireRecord): string | undefined {
  for (const text of [message, error, detail]) if (typeof text === "string" && text !== "") return text;
  return undefined;
}

/**
 * What only the wording of a refusal tells. `undefined` leaves it to the status, as it does for everything that may
 * be tried again: there the headers say when.
 */
export function faultOfReply(
  status: number,
  body: string,
  operation: ErrorContext["operation"],
): LlmError | undefined {
  const error = errorOfBody(body);
  if (error === undefined) return undefined;
  const row = rowOf(error, { operation, status });
  return row && faultOf(error, row, { operation, status });
}

/** The error of a stream or of a reply with status 200. There is nothing else that would tell more. */
export function faultOfError(error: WireError, context: ErrorContext): LlmError {
  const row = rowOf(error, context) ?? rowOfStatus(error);
  return faultOf(error, row, context);
}

export function errorOfBody(body: string): WireError | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  // Google wraps an error in a list.
  if (Array.isArray(value)) [value] = value as unknown[];
  if (!isRecord(value)) return undefined;
  const found = errorIn(value);
  if (found !== undefined) return found;
  const { message, detail } = value;
  if (typeof message === "string") return readError(value);
  if (typeof detail === "string") return { message: detail, rest: value };
  if (!Array.isArray(detail)) return undefined;
  // A web framework's own checks: which field, and what about it.
  const says = detail.flatMap((one: unknown) =>
    isRecord(one) && typeof one["msg"] === "string"
      ? [`${Array.isArray(one["loc"]) ? `${one["loc"].join(".")}: ` : ""}${one["msg"]}`]
      : [],
  );
  return says.length === 0 ? undefined : { message: says.join("; "), rest: value };
}

interface Row {
  readonly code: ErrorCode;
  readonly hint?: string | undefined;
  readonly retryable?: boolean | undefined;
  readonly figures?: Readonly<Record<string, number>> | undefined;
}

function faultOf(error: WireError, row: Row, { status }: ErrorContext): LlmError {
  const { code, hint, retryable, figures } = row;
  return new LlmError(code, error.message.slice(0, LONGEST), {
    status,
    phase: status === undefined ? "stream" : "request",
    retryable,
    hint,
    figures,
  });
}

const LONGEST = 500;

function rowOf(error: WireError, { operation, status }: ErrorContext): Row | undefined {
  const { message, type = "", code = "", rest = {} } = error;
  const words = `${type} ${String(code)}`;
  const said = WORDINGS.find(([where, pattern]) => pattern.test(where === "words" ? words : message));
  const overflow = overflowIn(message, words, rest);
  if (overflow !== undefined) {
    const { tokens, limit } = overflow;
    const embeds = operation === "embed";
    const figures = {
      ...(tokens !== undefined && { [embeds ? "tokens" : "promptTokens"]: tokens }),
      ...(limit !== undefined && { [embeds ? "limit" : "window"]: limit }),
    };
    return embeds
      ? { code: "input-too-long", figures, hint: "split the text" }
      : {
          code: "context-overflow",
          figures,
          hint: 'shorten the conversation, or set overflow to "drop-oldest"',
        };
  }
  if (said !== undefined) return said[2];
  if (status === 404 && /^(?:file |page )?not found$/i.test(message.trim()))
    return { code: "unsupported", hint: "the server does not have this path; most addresses end in /v1" };
  return undefined;
}

/** `words`: its type and code; `message`: its text. The first that fits counts. */
const WORDINGS: readonly (readonly ["words" | "message", RegExp, Row])[] = [
  ["words", /insufficient_quota|billing|credits/, { code: "quota-exhausted", hint: "look into the account" }],
  ["words", /model_not_found/, { code: "model-not-found", hint: "check the model's name" }],
  [
    "words",
    /content_filter|content_policy|safety/,
    { code: "content-filtered", hint: "change what is asked" },
  ],
  [
    "words",
    /invalid_api_key|authentication_error/,
    { code: "unauthenticated", hint: "check the key in the settings" },
  ],
  [
    "message",
    /invalid tool call arguments.*unexpected end/i,
    { code: "output-invalid", hint: "raise maxTokens: the output limit cut a tool call", retryable: false },
  ],
  [
    "message",
    /no models? (?:is |are )?loaded/i,
    { code: "model-not-found", hint: "load a model in the server first" },
  ],
  [
    "message",
    /does not support embeddings/i,
    { code: "unsupported", hint: "start the server for embeddings: llama-server takes --embeddings" },
  ],
  [
    "message",
    /does not support logits/i,
    { code: "unsupported", hint: "this server was started for embeddings; chats need another one" },
  ],
  [
    "message",
    /image input is not supported|does not support (?:images?|vision)|not a multimodal model/i,
    { code: "unsupported", hint: "choose a model that sees images" },
  ],
  [
    "message",
    /requires? --jinja|enable-auto-tool-choice|does not support (?:tools|function calling)/i,
    { code: "unsupported", hint: "start the server with tool calls, or choose a model that makes them" },
  ],
  [
    "words",
    /unsupported_(?:parameter|value|country)|not_supported/,
    { code: "unsupported", hint: "leave it out, or choose another model" },
  ],
  [
    "message",
    /unsupported parameter|is not supported (?:with|by) this model/i,
    { code: "unsupported", hint: "leave it out, or choose another model" },
  ],
  [
    "message",
    /out of memory|failed to allocate/i,
    { code: "out-of-memory", hint: "take a smaller model or window" },
  ],
  ["message", /json\.exception|parse error at line/i, { code: "invalid-request", retryable: false }],
];

/** What is left of an error without a reply's status: its own words for one. */
function rowOfStatus({ type = "", code }: WireError): Row {
  const status = typeof code === "number" ? code : Number.parseInt(code ?? "", 10);
  const words = `${type} ${String(code ?? "")}`;
  if (status === 429 || /rate_limit|too_many/.test(words)) return { code: "rate-limited" };
  if (status === 401) return { code: "unauthenticated" };
  if (status === 403 || /permission/.test(words)) return { code: "forbidden" };
  if (status === 402) return { code: "quota-exhausted" };
  if (status === 404 || /not_found/.test(words)) return { code: "model-not-found" };
  if (status === 408 || status === 504) return { code: "timeout" };
  if (status === 502 || status === 503 || /unavailable|overloaded/.test(words))
    return { code: "unavailable" };
  if (status >= 400 && status < 500) return { code: "invalid-request" };
  if (/invalid_request|invalid_prompt/.test(words)) return { code: "invalid-request" };
  return { code: "provider-internal", retryable: true, hint: "look into the backend's log" };
}
