import { LlmError } from "@enginehouse/llm-core";
import { type Deadlines, type HttpTransport, readsOf, startDeadlines } from "@enginehouse/llm-wire";

import { addressOf, endOf, readFault } from "./web-faults.ts";

/** How the store reaches the network. */
export interface WebOptions {
  readonly hubUrl: string;
  readonly hubToken: string | undefined;
  readonly allowInsecure: boolean;
  readonly stallMs: number;
}

export interface Web {
  /**
   * A GET whose redirects are followed here: the token goes to the hub's own origin and nowhere else, and a secure
   * address never leads to an insecure one. A status above 299 is thrown, but for those in `accept`.
   */
  get(url: URL, request: WebRequest): Promise<WebReply>;
  close(): void;
}

export interface WebRequest {
  readonly signal: AbortSignal;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly accept?: readonly number[] | undefined;
}

export interface WebReply {
  readonly status: number;
  readonly headers: Headers;
  /** Of the first answer, before any redirect: the hub puts a file's sum there. */
  readonly firstHeaders: Headers;
  /** Ends the request when it is left. A pause of `stallMs` throws `timeout`, an early end `stream-interrupted`. */
  read(): AsyncGenerator<Uint8Array, void, undefined>;
  /** The whole body as text, at most `limit` bytes. */
  text(limit: number): Promise<string>;
  cancel(): Promise<void>;
}

const MAX_REDIRECTS = 6;
const CONNECT_MS = 15_000;
const ERROR_BODY = 16_384;

export function createWeb(transport: HttpTransport, options: WebOptions): Web {
  const hubOrigin = new URL(options.hubUrl).origin;

  async function get(first: URL, request: WebRequest): Promise<WebReply> {
    let url = first;
    let firstHeaders: Headers | undefined;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      assertAllowed(url, first);
      const { deadlines, response } = await send(url, request);
      firstHeaders ??= response.headers;
      const location = response.headers.get("location");
      if (location !== null && response.status >= 300 && response.status < 400) {
        await readsOf(response).return?.();
        deadlines.end();
        url = new URL(location, url);
        continue;
      }
      const reply = replyOf(response, deadlines, addressOf(url), firstHeaders);
      if (response.status < 300 || request.accept?.includes(response.status) === true) return reply;
      const body = await reply.text(ERROR_BODY).catch(() => "");
      throw readFault(response, body, { url, hub: url.origin === hubOrigin, token: options.hubToken });
    }
    throw new LlmError(
      "invalid-response",
      `${addressOf(first)} leads from one address to the next, more than ${MAX_REDIRECTS} times`,
    );
  }

  async function send(
    url: URL,
    { signal, headers }: WebRequest,
  ): Promise<{ deadlines: Deadlines; response: Response }> {
    const deadlines = startDeadlines(
      { connect: CONNECT_MS, firstEvent: options.stallMs, idle: options.stallMs },
      signal,
    );
    try {
      const response = await transport(url, {
        headers: {
          "user-agent": "enginehouse",
          "accept-encoding": "identity",
          ...headers,
          ...credentials(url),
        },
        signal: deadlines.signal,
        redirect: "manual",
        onConnect: () => deadlines.connected(),
      });
      return { deadlines, response };
    } catch (error) {
      deadlines.end();
      throw endOf(error, deadlines, signal, addressOf(url), false);
    }
  }

  function credentials(url: URL): Readonly<Record<string, string>> {
    if (options.hubToken === undefined || url.origin !== hubOrigin) return {};
    return { authorization: `Bearer ${options.hubToken}` };
  }

  function assertAllowed(url: URL, first: URL): void {
    const downgraded = first.protocol === "https:" && url.protocol !== "https:";
    const secure =
      url.protocol === "https:" || (url.protocol === "http:" && (isLoopback(url) || options.allowInsecure));
    if (secure && !downgraded) return;
    throw new LlmError("forbidden", `${addressOf(url)} is not reached over https`, {
      hint: downgraded
        ? "The server led from a secure address to an insecure one."
        : "Use https, or allow it with the setting allowInsecureDownloads.",
    });
  }

  function replyOf(
    response: Response,
    deadlines: Deadlines,
    address: string,
    firstHeaders: Headers,
  ): WebReply {
    const reads = readsOf(response);
    return {
      status: response.status,
      headers: response.headers,
      firstHeaders,
      async *read() {
        try {
          for (;;) {
            deadlines.waiting();
            const read = await reads.next();
            deadlines.arrived();
            if (read.done === true) return;
            yield read.value;
          }
        } catch (error) {
          throw endOf(error, deadlines, undefined, address, true);
        } finally {
          await reads.return?.();
          deadlines.end();
        }
      },
      async text(limit) {
        const chunks: Uint8Array[] = [];
        let length = 0;
        for await (const chunk of this.read()) {
          chunks.push(chunk);
          length += chunk.length;
          if (length > limit)
            throw new LlmError(
              "invalid-response",
              `${address} sent more than ${limit} bytes where a short answer was expected`,
            );
        }
        return Buffer.concat(chunks).toString("utf8");
      },
      async cancel() {
        await reads.return?.();
        deadlines.end();
      },
    };
  }

  return { get, close: () => transport.close() };
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d+){3}$/.test(hostname);
}
