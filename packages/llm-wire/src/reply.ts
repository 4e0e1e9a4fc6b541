import { isLlmError } from "@enginehouse/llm-core";

import type { Deadlines } from "./deadlines.ts";
import { statusFault, transportFault } from "./faults.ts";
import { readsOf } from "./raw-body.ts";
import { addressOf, type Endpoint, headersOf, jsonOf, shownAddress, type WireCall } from "./request.ts";
import type { Reply, Sent } from "./transport.ts";

/** How much of an error reply is read. */
const ERROR_BODY_LIMIT = 64 * 1024;

/** Sends the request, and waits for the beginning of a reply that is no error. */
export async function open(endpoint: Endpoint, call: WireCall, deadlines: Deadlines): Promise<Reply> {
  const { body } = call;
  const text = body === undefined ? undefined : jsonOf(body);
  const method = call.method ?? (text === undefined ? "GET" : "POST");
  const headers = headersOf(
    { "content-type": text === undefined ? undefined : "application/json" },
    endpoint.headers,
    call.headers,
  );
  if (endpoint.fetch.reportsConnect !== true) deadlines.connected();
  const { fetch } = endpoint;
  const { href } = addressOf(endpoint, call);
  const sent = { method, headers, body: text };
  const reply = await (fetch.exchange?.(new URL(href), sent, deadlines) ??
    fetched(fetch, href, sent, deadlines));
  deadlines.connected();
  if (reply.status >= 200 && reply.status < 300) return reply;
  deadlines.waiting();
  const said = (await readText(reply, ERROR_BODY_LIMIT, deadlines, true).catch(() => "")) ?? "";
  const fault = call.readFault?.(reply.status, said);
  throw fault ?? statusFault(reply.status, reply.headers, said, shownAddress(endpoint, call));
}

async function fetched(
  fetch: Endpoint["fetch"],
  href: string,
  { method, headers, body }: Sent & { readonly body: string | undefined },
  deadlines: Deadlines,
): Promise<Reply> {
  const { signal } = deadlines;
  const onConnect = (): void => deadlines.connected();
  const response = await fetch(href, { method, headers, body: body ?? null, signal, onConnect });
  return { status: response.status, headers: response.headers, reads: () => readsOf(response) };
}

/** The text of the reply; where it is longer than `limit`, its beginning or nothing. */
export async function readText(
  reply: Reply,
  limit: number,
  deadlines: Deadlines,
  beginning = false,
): Promise<string | undefined> {
  const reads = reply.reads();
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  try {
    for (;;) {
      deadlines.waiting();
      const read = await reads.next();
      if (read.done === true) break;
      deadlines.arrived();
      bytes += read.value.byteLength;
      parts.push(decoder.decode(read.value, { stream: true }));
      if (bytes <= limit) continue;
      if (!beginning) return undefined;
      break;
    }
  } finally {
    await reads.return().catch(() => undefined);
  }
  return parts.join("") + decoder.decode();
}

/** What `error` is called: a deadline that passed and an abort come before what they broke. */
export function finalFault(
  error: unknown,
  deadlines: Deadlines,
  endpoint: Endpoint,
  call: WireCall,
  begun: boolean,
): unknown {
  if (deadlines.fault !== undefined) return deadlines.fault;
  // The caller's own reason goes through untouched: the host around the provider names it.
  if (call.signal?.aborted === true) return call.signal.reason as unknown;
  // What is wrong may be the address itself: it is looked at last.
  return isLlmError(error) ? error : transportFault(error, shownAddress(endpoint, call), begun);
}
