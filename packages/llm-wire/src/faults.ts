import { type ErrorCode, isLlmError, LlmError, type LlmErrorInit } from "@enginehouse/llm-core";

/** How much of a reply's text goes into a message. */
const EXCERPT = 300;

/** What a failed connection or a broken transfer is called. `begun`: a part of the answer had arrived. */
export function transportFault(error: unknown, address: string, begun: boolean): LlmError {
  if (isLlmError(error)) return error;
  const codes = codesOf(error);
  const later = codes.some((code) => LATER.has(code) || code.startsWith("HPE_"));
  const early = later ? "request" : "connect";
  const init: LlmErrorInit = { cause: error, phase: begun ? "stream" : early };
  if (codes.some((code) => TIMEOUTS.has(code))) {
    return new LlmError("timeout", `${address} did not answer in time (${codes.join(", ")})`, init);
  }
  if (begun) {
    const hint = "ask again; the backend's log may say why";
    return new LlmError("stream-interrupted", `${address} broke off in the middle of its answer`, {
      ...init,
      hint,
    });
  }
  if (codes.some((code) => code.startsWith("HPE_"))) {
    const hint = "is this the address of a model server?";
    return new LlmError("invalid-response", `${address} did not answer in HTTP`, { ...init, hint });
  }
  const named = codes.find((code) => Object.hasOwn(REASONS, code));
  if (named !== undefined) {
    const [says, hint] = REASONS[named] ?? ["", ""];
    return new LlmError("unavailable", `${address}: ${says} (${named})`, { ...init, hint });
  }
  if (
    codes.some(
      (code) =>
        code.includes("CERT") || code === "UNABLE_TO_VERIFY_LEAF_SIGNATURE" || code.startsWith("ERR_TLS"),
    )
  ) {
    const hint = "check the certificate, or the address";
    return new LlmError("unavailable", `${address}: the certificate is not trusted (${codes.join(", ")})`, {
      ...init,
      retryable: false,
      hint,
    });
  }
  const text = error instanceof Error ? error.message : String(error);
  const hint = "check the address in the settings, and what stands in front of the backend";
  return new LlmError("unavailable", `${address} could not be reached: ${text}`, { ...init, hint });
}

/** A name that nobody knows is the answer to a wrong address and to a missing network alike. */
const ONLINE = "is this computer online? Where it is, correct the address in the settings";

const REASONS: Record<string, readonly [string, string]> = {
  ECONNREFUSED: ["nothing listens there", "start the backend, or correct its address in the settings"],
  ENOTFOUND: ["no such host is known", ONLINE],
  EAI_AGAIN: ["the host's name could not be looked up", ONLINE],
  ECONNRESET: ["the connection was closed before an answer came", "look into the backend's log"],
  UND_ERR_SOCKET: ["the connection was closed before an answer came", "look into the backend's log"],
  EPIPE: ["the connection was closed before an answer came", "look into the backend's log"],
  EHOSTUNREACH: ["there is no way to the host", "check the network and the address"],
  ENETUNREACH: ["there is no way to the network", "check the network and the address"],
};

/** Codes of a connection that was there. */
const LATER = new Set(["ECONNRESET", "UND_ERR_SOCKET", "EPIPE"]);

const TIMEOUTS = new Set([
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

/** What a friendly web site says where a model server was asked. */
export const isPage = (text: string): boolean => /^\s*<(?:!doctype|html)/i.test(text);

/** What a reply with an error status is called. `body` is its text, as much as was read. */
export function statusFault(status: number, headers: Headers, body: string, address: string): LlmError {
  const page = isPage(body);
  const says = page ? "it answered with a web page" : messageIn(body);
  const { code, hint } = STATUS[status] ?? rowOf(status);
  return new LlmError(code, `${address} answered ${status}${says === "" ? "" : `: ${says}`}`, {
    status,
    phase: "request",
    retryable: status >= 500 && status !== 501 ? true : undefined,
    retryAfterMs: retryAfter(headers),
    hint: page ? "is this the address of a model server?" : hint,
  });
}

const SERVER: { code: ErrorCode; hint?: string } = {
  code: "provider-internal",
  hint: "look into the backend's log",
};
/** A redirect that names no place, or an answer from a cache that nobody has. */
const ELSEWHERE: { code: ErrorCode; hint: string } = {
  code: "invalid-response",
  hint: "is this the address of a model server?",
};
const CLIENT: { code: ErrorCode; hint?: string } = { code: "invalid-request" };

function rowOf(status: number): { code: ErrorCode; hint?: string } {
  if (status >= 500) return SERVER;
  return status >= 400 ? CLIENT : ELSEWHERE;
}

const STATUS: Record<number, { code: ErrorCode; hint?: string }> = {
  401: { code: "unauthenticated", hint: "check the key in the settings" },
  402: { code: "quota-exhausted", hint: "look into the account" },
  403: { code: "forbidden", hint: "check what the key may do" },
  404: { code: "model-not-found", hint: "check the model's name and the address" },
  408: { code: "timeout" },
  429: { code: "rate-limited", hint: "wait, or send fewer requests at once" },
  501: { code: "unsupported", hint: "the backend does not have this; another version of it may" },
  502: { code: "unavailable", hint: "look into the backend's log" },
  503: { code: "unavailable", hint: "the backend is busy or starting; try again" },
  504: { code: "timeout" },
};

/** `Retry-After` in milliseconds: seconds or a date, and the `retry-after-ms` that some servers send. */
export function retryAfter(headers: Headers, now = Date.now()): number | undefined {
  const ms = Number.parseFloat(headers.get("retry-after-ms") ?? "");
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const seconds = value.trim() === "" ? Number.NaN : Number(value);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1_000 : undefined;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The message inside an error body of any usual shape, else the start of its text. */
export function messageIn(body: string): string {
  try {
    const found = inside(JSON.parse(body));
    if (found !== undefined) return found.slice(0, EXCERPT);
  } catch {
    // Not JSON: the text itself is the message.
  }
  return body.trim().replaceAll(/\s+/g, " ").slice(0, EXCERPT);
}

function inside(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return undefined;
  // Google wraps an error in a list.
  if (Array.isArray(value)) return inside(value[0]);
  for (const key of ["error", "message", "detail"]) {
    const found = inside((value as Record<string, unknown>)[key]);
    if (found !== undefined && found !== "") return found;
  }
  return undefined;
}

function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    // To a parser a connection that was closed is an end in the wrong place. That of Node's own fetch has no code.
    if (at.message.includes("Invalid EOF state")) codes.push("ECONNRESET");
    else if ("code" in at && typeof at.code === "string") codes.push(at.code);
    else if (at.name === "HTTPParserError") codes.push("HPE_PARSER");
    // Happy-eyeballs failures carry one error for each address.
    if (at instanceof AggregateError) codes.push(...at.errors.flatMap(codesOf));
  }
  return [...new Set(codes)];
}
