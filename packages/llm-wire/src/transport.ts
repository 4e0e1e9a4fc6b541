import type * as Http from "node:http";
import type { IncomingMessage } from "node:http";

import { LlmError } from "@enginehouse/llm-core";

import { type ByteReads, headersOf, keepRaw, messageReads } from "./raw-body.ts";
import { type Asker, Sending, SignalAsker, unknownReply } from "./sending.ts";

/** What both `fetch` and the transport of this package are. */
export interface FetchLike {
  (input: string | URL | Request, init?: WireInit): Promise<Response>;
  /** Whether it calls `onConnect`. One that does not has its own limit for connecting, and the connect deadline is off. */
  readonly reportsConnect?: boolean | undefined;
  /** The same without the objects of the web around it, which cost as much as ten tokens: for the calls of this package. */
  readonly exchange?: ((url: URL, sent: Sent, asker: Asker) => Promise<Reply>) | undefined;
}

export interface Sent {
  readonly method: string;
  /** Under names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

/** As much of a `Response` as a call needs. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** To be called once. */
  reads(): ByteReads;
}

export interface WireInit extends RequestInit {
  /** Called when the connection is there. `fetch` ignores it. */
  readonly onConnect?: (() => void) | undefined;
}

export interface HttpTransport extends FetchLike {
  /** Closes all its connections, also those in use. A later request opens new ones. */
  close(): void;
}

const MAX_REDIRECTS = 5;

/**
 * A `fetch` over node:http: about a third cheaper for each token that arrives alone, and without the hidden
 * limits of 300 s that Node's own fetch has. It sends no cookies and asks for no compression.
 */
export function createHttpTransport(): HttpTransport {
  const agents = new Map<string, Http.Agent>();
  /**
   * The engine throws away the optimised code of node:http itself when a collection finds no message alive: each stream
   * after it would begin in slow code (docs/decisions/0015-classes-in-the-stream-path.md). Of what was sent it has the head only.
   */
  const kept: { latest?: IncomingMessage | undefined } = {};
  const keep = (message: IncomingMessage): void => {
    kept.latest = message;
  };

  const transport = async (input: string | URL | Request, init: WireInit = {}): Promise<Response> => {
    const wanted = input instanceof Request ? input : undefined;
    const method = (init.method ?? wanted?.method ?? "GET").toUpperCase();
    const headers = new Headers(init.headers ?? wanted?.headers);
    const body = await bytesOfBody(init.body ?? (wanted === undefined ? undefined : wanted.body), headers);
    const sent = { method, headers: Object.fromEntries(headers), body };
    const asker = new SignalAsker(init.signal ?? wanted?.signal, init.onConnect);
    return responseOf(
      await follow(new URL(wanted?.url ?? (input as string | URL)), sent, asker, init.redirect),
    );
  };

  const exchange = (url: URL, sent: Sent, asker: Asker): Promise<Reply> =>
    follow(url, sent, asker).then(({ message }) => ({
      status: message.statusCode ?? 0,
      get headers() {
        return headersIn(message);
      },
      reads: () => messageReads(message),
    }));

  /** The request, and those that redirects make of it. */
  async function follow(
    from: URL,
    first: Sent,
    asker: Asker,
    redirect?: WireInit["redirect"],
  ): Promise<Answer> {
    let url = from;
    let sent = first;
    for (let hops = 0; ; hops += 1) {
      const secure = url.protocol === "https:";
      if (!secure && url.protocol !== "http:") throw new TypeError(`unsupported protocol ${url.protocol}`);
      const module = loaded[secure ? "https" : "http"] ?? (await load(secure));
      const message = await send(module, url, sent, asker);
      const status = message.statusCode ?? 0;
      const { location, "content-encoding": coding = "identity" } = message.headers;
      if (redirect === "manual" || location === undefined || !REDIRECTS.has(status)) {
        if (status < 200 || status > 599) throw unknownReply(message);
        if (coding !== "identity") throw compressed(message, coding);
        return { message, method: sent.method, url, redirected: hops > 0 };
      }
      message.destroy();
      if (redirect === "error") throw new TypeError("the reply is a redirect, and none is followed");
      if (hops === MAX_REDIRECTS) throw new TypeError(`more than ${MAX_REDIRECTS} redirects`);
      const next = new URL(location, url);
      sent = redirected(sent, status, next.origin === url.origin);
      url = next;
    }
  }

  function agentOf({ Agent }: Module, url: URL, sent: Sent): Http.Agent {
    // A pool would keep the connection of a request that says so, and give it one that was used before.
    const keepAlive = sent.headers["connection"] !== "close";
    const pool = `${url.protocol} ${keepAlive}`;
    let agent = agents.get(pool);
    if (agent === undefined) {
      agent = new Agent({ keepAlive, noDelay: true });
      agents.set(pool, agent);
    }
    return agent;
  }

  function send(module: Module, url: URL, sent: Sent, asker: Asker): Promise<IncomingMessage> {
    const { method } = sent;
    const body = bodyOf(sent);
    const agent = agentOf(module, url, sent);
    const sending = new Sending(asker, keep);
    return sending.start(
      () => module.request(url, { method, headers: headersOf(sent.headers, body), agent }),
      body,
    );
  }

  return Object.assign(transport, {
    reportsConnect: true,
    exchange,
    close() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
      kept.latest = undefined;
    },
  });
}

interface Answer {
  readonly message: IncomingMessage;
  readonly method: string;
  readonly url: URL;
  readonly redirected: boolean;
}

type Module = Pick<typeof Http, "Agent" | "request">;

/** Imported at the first use, and once: also an import of what is there already takes its time. */
const loaded: { http?: Module; https?: Module } = {};

async function load(secure: boolean): Promise<Module> {
  if (secure) return (loaded.https = await import("node:https"));
  return (loaded.http = await import("node:http"));
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const WITHOUT_BODY = new Set([101, 204, 205, 304]);

/** All that another origin gets: of any other header nobody knows whether it is a credential. */
const HARMLESS = /^(?:accept(?:-.*)?|connection|content-type|user-agent)$/;

/** As fetch does it: 303, and 301 or 302 after a POST, become a GET. Credentials, of whatever name, stay with their origin. */
function redirected({ method, headers, body }: Sent, status: number, sameOrigin: boolean): Sent {
  const becomesGet = (status === 303 && method !== "HEAD") || (status < 303 && method === "POST");
  const kept = Object.entries(headers).filter(
    ([name]) =>
      (sameOrigin || HARMLESS.test(name)) && !(becomesGet && /^content-(?:type|length)$/.test(name)),
  );
  return {
    method: becomesGet ? "GET" : method,
    headers: Object.fromEntries(kept),
    body: becomesGet ? undefined : body,
  };
}

/** Node writes a text together with the headers, and in its coding: headers beyond ASCII need bytes behind them. */
function bodyOf({ headers, body }: Sent): Sent["body"] {
  if (typeof body !== "string" || !Object.values(headers).some((value) => BEYOND_ASCII.test(value)))
    return body;
  return Buffer.from(body);
}

const BEYOND_ASCII = /[\u0080-\u00FF]/;

async function bytesOfBody(body: RequestInit["body"], headers: Headers): Promise<Uint8Array | undefined> {
  if (body === null || body === undefined) return undefined;
  if (typeof body === "string") {
    if (!headers.has("content-type")) headers.set("content-type", "text/plain;charset=UTF-8");
    return new TextEncoder().encode(body);
  }
  if (body instanceof Uint8Array) return body;
  const reply = new Response(body);
  const type = reply.headers.get("content-type");
  if (type !== null && !headers.has("content-type")) headers.set("content-type", type);
  return new Uint8Array(await reply.arrayBuffer());
}

function responseOf({ message, method, url, redirected }: Answer): Response {
  const status = message.statusCode ?? 0;
  const init = { status, statusText: message.statusMessage ?? "", headers: headersIn(message) };
  const empty = WITHOUT_BODY.has(status) || method === "HEAD";
  if (empty) message.resume();
  const response = empty ? new Response(null, init) : keepRaw(message, init);
  return Object.defineProperties(response, { url: { value: url.href }, redirected: { value: redirected } });
}

function headersIn(message: IncomingMessage): Headers {
  try {
    const headers = new Headers();
    for (let index = 0; index < message.rawHeaders.length; index += 2) {
      headers.append(message.rawHeaders[index] ?? "", message.rawHeaders[index + 1] ?? "");
    }
    return headers;
  } catch (cause) {
    throw unknownReply(message, cause);
  }
}

function compressed(message: IncomingMessage, coding: string): LlmError {
  message.destroy();
  return new LlmError("invalid-response", `the reply is compressed (${coding}), and nobody asked for that`, {
    status: message.statusCode,
    phase: "request",
    hint: "switch compression off in the proxy in front of the backend",
  });
}
