import { LlmError } from "@enginehouse/llm-core";
import { errorOfBody, faultOfError } from "@enginehouse/llm-openai-dialect";
import { type Endpoint, type FetchLike, readsOf, type WireInit } from "@enginehouse/llm-wire";

import { withoutThoughts } from "./refusals/thoughts.ts";
import type { Connection, OpenaiSettings } from "./settings.ts";

// The reference is https://platform.openai.com/docs/api-reference; the types of replies are in llm-openai-dialect.

/** A model as the servers list it: what is beside `id` each of them has in its own way. */
export interface WireModel extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly owned_by?: unknown;
}

/**
 * The address and the headers as OpenAI's own client makes them. It sends nothing itself: its reading of a stream costs
 * three times as much as the bytes do, and tells neither a broken answer from a whole one nor an abort from an end.
 */
export async function openEndpoint(
  { baseUrl, apiKey, thoughtless }: Connection,
  { organization, project, headers }: OpenaiSettings,
  fetch: FetchLike,
): Promise<Endpoint> {
  const { OpenAI } = await import("openai");
  const given = { apiKey, organization, project, ...headers };
  for (const [name, value] of Object.entries(given)) assertHeader(name, value);
  for (const name of Object.keys(headers ?? {})) assertName(name);
  const client = new OpenAI({
    baseURL: baseUrl,
    // It insists on one; servers of one's own mostly have none, and are sent none.
    apiKey: apiKey ?? "none",
    organization: organization ?? null,
    project: project ?? null,
    // Left out, these would be read from the environment, as OPENAI_CUSTOM_HEADERS always is.
    adminAPIKey: null,
    webhookSecret: null,
    maxRetries: 0,
    logLevel: "off",
    defaultHeaders: { ...(apiKey === undefined && { authorization: null }), ...headers },
  });
  const { req } = await client.buildRequest({ method: "get", path: "/models" });
  const sent = Object.fromEntries(new Headers(req.headers));
  return { baseUrl: client.baseURL, headers: sent, fetch: withoutThoughts(fetch, thoughtless) };
}

/** Told without the value, which may be a key. */
function assertHeader(name: string, value: string | undefined): void {
  // oxlint-disable-next-line no-control-regex
  if (value === undefined || !/[^\t\u0020-\u007E\u0080-\u00FF]/.test(value)) return;
  throw new LlmError("invalid-settings", `${name} has a character that HTTP cannot carry`, {
    phase: "settings",
    hint: "look for line ends and typographic characters in it",
  });
}

function assertName(name: string): void {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return;
  throw new LlmError("invalid-settings", `headers: "${name}" is no name of a header`, {
    phase: "settings",
    hint: "letters, digits and hyphens make one, such as x-team",
  });
}

/** The same endpoint for a stream: a reply of another kind with status 200 is an error, a page, or an answer in one piece. */
export function streamed(endpoint: Endpoint): Endpoint {
  const { exchange, reportsConnect } = endpoint.fetch;
  const fetch = async (input: string | URL | Request, init?: WireInit): Promise<Response> => {
    const response = await endpoint.fetch(input, init);
    return isStream(response) ? response : onePiece(readsOf(response), response.status);
  };
  const swap: Exchange = async (url, sent, asker) => {
    const reply = await (exchange as Exchange)(url, sent, asker);
    if (isStream(reply)) return reply;
    const { status, headers } = reply;
    const whole = await onePiece(reply.reads(), status);
    return { status, headers, reads: () => readsOf(whole) };
  };
  return {
    ...endpoint,
    headers: { ...endpoint.headers, ...connectionOfItsOwn(endpoint.baseUrl) },
    fetch: Object.assign(fetch, { reportsConnect, exchange: exchange && swap }),
  };
}

type Exchange = NonNullable<FetchLike["exchange"]>;

/** Errors go their usual way, and a server that does not name the kind of its reply means a stream. */
const isStream = ({ status, headers }: { readonly status: number; readonly headers: Headers }): boolean =>
  status < 200 || status > 299 || !/json|html/i.test(headers.get("content-type") ?? "");

/**
 * llama.cpp's server promises to keep a connection after a stream and closes it a moment later: a request that is sent
 * in between is lost. A connection without TLS costs next to nothing, so a stream does not share one.
 */
function connectionOfItsOwn(baseUrl: string): Record<string, string> {
  return URL.parse(baseUrl)?.protocol === "http:" ? { connection: "close" } : {};
}

const ANSWER_LIMIT = 64 * 1024 * 1024;

async function onePiece(reads: AsyncIterator<Uint8Array>, status: number): Promise<Response> {
  const text = await textOf(reads);
  if (!text.trimStart().startsWith("{")) {
    const page = text.trimStart().startsWith("<");
    throw new LlmError("invalid-response", `the server answered with ${page ? "a web page" : "no stream"}`, {
      status,
      phase: "request",
      hint: "is this the address of a model server? Most end in /v1",
    });
  }
  const error = text.includes('"choices"') ? undefined : errorOfBody(text);
  if (error !== undefined) throw faultOfError(error, { operation: "chat", status });
  return new Response(`data: ${text.replaceAll(/[\r\n]+/g, " ")}\n\ndata: [DONE]\n\n`);
}

async function textOf(reads: AsyncIterator<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let read = await reads.next(); read.done !== true; read = await reads.next()) {
      text += decoder.decode(read.value, { stream: true });
      if (text.length > ANSWER_LIMIT)
        throw new LlmError("invalid-response", "the answer is too long to be one");
    }
  } finally {
    await reads.return?.().catch(() => undefined);
  }
  return text + decoder.decode();
}
