import { type CallOptions, LlmError } from "@enginehouse/llm-core";

import type { FetchLike } from "./transport.ts";

/** Where a backend listens, and how it is reached. */
export interface Endpoint {
  /** With or without a slash at its end. */
  readonly baseUrl: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly fetch: FetchLike;
}

export interface WireCall extends CallOptions {
  /** Appended to the base URL: `/api/chat`. */
  readonly path: string;
  /** Default POST with a body, else GET. */
  readonly method?: string | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What only this backend's wording tells of an error reply; `undefined` leaves it to the status. */
  readonly readFault?: ((status: number, body: string) => LlmError | undefined) | undefined;
}

interface Address {
  readonly href: string;
  /** For messages: without credentials and query, which may hold a key. */
  readonly shown: string;
}

/** The latest of each endpoint, so that calls to the same path parse none. Texts, which nobody can change for others. */
const latest = new WeakMap<
  Endpoint,
  { readonly baseUrl: string; readonly path: string; readonly address: Address }
>();

/** The base URL's path goes on with the call's; its query, such as a version, stays at the end. */
export function addressOf(endpoint: Endpoint, { path }: WireCall): Address {
  const { baseUrl } = endpoint;
  const known = latest.get(endpoint);
  if (known?.path === path && known.baseUrl === baseUrl) return known.address;
  const address = parsed(baseUrl, path);
  latest.set(endpoint, { baseUrl, path, address });
  return address;
}

function parsed(baseUrl: string, path: string): Address {
  const base = URL.parse(baseUrl);
  if (base === null || !/^https?:$/.test(base.protocol)) {
    throw new LlmError("invalid-settings", `"${baseUrl}" is no address of a server`, {
      phase: "settings",
      hint: "write it like http://127.0.0.1:8080",
    });
  }
  const query = path.indexOf("?");
  base.pathname = base.pathname.replace(/\/$/, "") + (query === -1 ? path : path.slice(0, query));
  if (query !== -1)
    base.search = base.search === "" ? path.slice(query) : `${base.search}&${path.slice(query + 1)}`;
  return { href: base.href, shown: base.origin + base.pathname };
}

export const shownAddress = (endpoint: Endpoint, call: WireCall): string => addressOf(endpoint, call).shown;

/** Headers of the call win over those of the endpoint. What HTTP cannot carry is told without its value: it may be a key. */
export function headersOf(
  ...all: (Readonly<Record<string, string | undefined>> | undefined)[]
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const some of all) {
    for (const name in some) {
      // A key out of a file ends with a line.
      const value = some[name]?.trim();
      if (value === undefined) continue;
      if (!NAME.test(name) || BEYOND_HTTP.test(value)) throw impossible(name);
      headers[name.toLowerCase()] = value;
    }
  }
  return headers;
}

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
// oxlint-disable-next-line no-control-regex
const BEYOND_HTTP = /[^\t\u0020-\u007E\u0080-\u00FF]/;

const impossible = (name: string): LlmError =>
  new LlmError("invalid-settings", `the header "${name}" has a character that HTTP cannot carry`, {
    phase: "settings",
    hint: "look for line ends and typographic characters in the key or header",
  });

export function jsonOf(body: unknown): string {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    throw new LlmError("invalid-request", "the request cannot be written as JSON", {
      phase: "request",
      cause,
    });
  }
}
