import { LlmError } from "@enginehouse/llm-core";
import { type Deadlines, statusFault, transportFault } from "@enginehouse/llm-wire";

/** Without the query: addresses of downloads carry signatures there. */
export function addressOf(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** An answer with an error status, in words that help whoever wants a model. `token` is kept out of them. */
export function readFault(
  response: Response,
  body: string,
  { url, hub, token }: { readonly url: URL; readonly hub: boolean; readonly token: string | undefined },
): LlmError {
  const text = token === undefined ? body : body.replaceAll(token, "[redacted]");
  const fault = statusFault(response.status, response.headers, text, addressOf(url));
  const { status, retryAfterMs } = fault;
  if (response.status === 401 || response.status === 403) {
    const hint = hub
      ? "It does not exist, is private, or asks you to accept its licence first: do that on its page, then set HF_TOKEN to a token that may read it."
      : "Fetch it another way and put the file into the models folder.";
    return new LlmError(response.status === 401 ? "unauthenticated" : "forbidden", fault.message, {
      status,
      hint,
    });
  }
  if (response.status === 404 || response.status === 410) {
    return new LlmError("model-not-found", fault.message, {
      status,
      hint: "Check the spelling of the reference.",
    });
  }
  if (response.status < 500) return fault;
  // A server that fails now may serve the same file a minute later, and the part is kept.
  return new LlmError("unavailable", fault.message, {
    status,
    retryAfterMs,
    hint: "Pull again later; what has arrived is kept.",
  });
}

/** Why a request ended before its reply did: our clock, the caller, or the connection. */
export function endOf(
  error: unknown,
  deadlines: Deadlines,
  signal: AbortSignal | undefined,
  address: string,
  begun: boolean,
): unknown {
  if (deadlines.fault !== undefined) {
    return new LlmError("timeout", `${address}: ${deadlines.fault.message}`, {
      hint: "Pull again: it goes on where it stopped. The setting pullStallMs says how long a pause may be.",
      cause: error,
    });
  }
  if (signal?.aborted === true || deadlines.signal.aborted)
    return new LlmError("aborted", "the pull was cancelled", { cause: error });
  const fault = transportFault(error, address, begun);
  if (!begun) return fault;
  return new LlmError(fault.code, fault.message, {
    cause: error,
    hint: "Pull again: it goes on where it stopped.",
  });
}
