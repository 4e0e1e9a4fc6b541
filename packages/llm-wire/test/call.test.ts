import { isLlmError, type LlmError } from "@enginehouse/llm-core";
import { afterEach, describe, expect, test } from "vitest";

import {
  callJson,
  callLines,
  callSse,
  createHttpTransport,
  type Endpoint,
  type FetchLike,
} from "../src/index.ts";
import { addressOf } from "../src/request.ts";
import { type Handler, serve, sleep, type Watched, within } from "./server.ts";

const open: Watched[] = [];
const transports: { close(): void }[] = [];

afterEach(async () => {
  for (const transport of transports.splice(0)) transport.close();
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

const viaHttp = (): FetchLike => {
  const transport = createHttpTransport();
  transports.push(transport);
  return transport;
};
const ways: [string, () => FetchLike][] = [
  ["node:http", viaHttp],
  ["fetch", () => fetch as FetchLike],
];

async function start(
  handler: Handler,
  fetchLike: FetchLike,
): Promise<{ server: Watched; endpoint: Endpoint }> {
  const server = await serve(handler);
  open.push(server);
  return { server, endpoint: { baseUrl: `${server.url}/`, fetch: fetchLike } };
}

async function faultOf(promise: Promise<unknown>): Promise<LlmError> {
  const error: unknown = await promise.then(
    () => new Error("expected a rejection"),
    (fault: unknown) => fault,
  );
  if (isLlmError(error)) return error;
  throw error;
}

async function all<Piece>(pieces: AsyncIterable<Piece[]>): Promise<Piece[]> {
  const found: Piece[] = [];
  for await (const batch of pieces) found.push(...batch);
  return found;
}

test("a transport that writes its key into the address changes neither later calls nor messages", async () => {
  const { server, endpoint } = await start((_request, response) => response.writeHead(500).end(), viaHttp());
  const own = endpoint.fetch;
  const exchange: FetchLike["exchange"] = (url, sent, asker) => {
    url.pathname = `/key-abcd${url.pathname}`;
    if (own.exchange === undefined) throw new Error("has none");
    return own.exchange(url, sent, asker);
  };
  const keyed = { ...endpoint, fetch: Object.assign(async () => new Response(), { exchange }) };
  for (let calls = 0; calls < 2; calls += 1) {
    const { message } = await faultOf(callJson(keyed, { path: "/a" }));
    expect(message).toContain("/a");
    expect(message).not.toContain("abcd");
  }
  expect(server.requests.map(({ path }) => path)).toEqual(["/key-abcd/a", "/key-abcd/a"]);
});

test("an address is parsed once for calls to the same path", () => {
  const endpoint = { baseUrl: "http://a/v1/?sig=1", fetch };
  const address = addressOf(endpoint, { path: "/b" });
  expect(address).toEqual({ href: "http://a/v1/b?sig=1", shown: "http://a/v1/b" });
  expect(addressOf(endpoint, { path: "/b", body: 1 })).toBe(address);
});

describe.each(ways)("over %s", (_, fetchLike) => {
  test("ten thousand reads ahead are all answered", async () => {
    const { endpoint } = await start((_request, response) => response.end("a\nb\n"), fetchLike());
    const pieces = callLines(endpoint, { path: "/" });
    const reads = await Promise.all(Array.from({ length: 10_000 }, () => pieces.next()));
    expect(reads.flatMap((read) => read.value ?? [])).toEqual(["a", "b"]);
    expect(reads.at(-1)).toEqual({ value: undefined, done: true });
  });

  test("one endpoint asks each path, each query and each server by its own address", async () => {
    const { server, endpoint } = await start((_request, response) => response.end("1"), fetchLike());
    const other = await start((_request, response) => response.end("2"), fetchLike());
    const moving = { ...endpoint };
    const replies: unknown[] = [];
    for (const path of ["/a", "/a", "/b?v=1", "/b", "/a"]) replies.push(await callJson(moving, { path }));
    moving.baseUrl = other.endpoint.baseUrl;
    replies.push(await callJson(moving, { path: "/a" }));
    expect(replies).toEqual([1, 1, 1, 1, 1, 2]);
    expect(server.requests.map(({ path }) => path)).toEqual(["/a", "/a", "/b?v=1", "/b", "/a"]);
    expect(other.server.requests.map(({ path }) => path)).toEqual(["/a"]);
  });

  test("a redirect leads its own call on, and no later one", async () => {
    const target = await start((_request, response) => response.end("2"), fetchLike());
    const headers = { location: `${target.server.url}/elsewhere` };
    const { server, endpoint } = await start(
      (_request, response) => response.writeHead(307, headers).end(),
      fetchLike(),
    );
    for (let calls = 0; calls < 2; calls += 1) expect(await callJson(endpoint, { path: "/a" })).toBe(2);
    expect(server.requests.map(({ path }) => path)).toEqual(["/a", "/a"]);
    expect(target.server.requests.map(({ path }) => path)).toEqual(["/elsewhere", "/elsewhere"]);
  });

  test("sends JSON and reads JSON", async () => {
    const { server, endpoint } = await start((_request, response) => response.end('{"ok":"ü"}'), fetchLike());
    expect(
      await callJson({ ...endpoint, headers: { "x-key": "1" } }, { path: "/a", body: { b: 1 } }),
    ).toEqual({ ok: "ü" });
    expect(server.requests).toMatchObject([
      {
        method: "POST",
        path: "/a",
        body: '{"b":1}',
        headers: { "x-key": "1", "content-type": "application/json" },
      },
    ]);
  });

  test("sends a key that came out of a file, with the end of its line", async () => {
    const { server, endpoint } = await start((_request, response) => response.end("[]"), fetchLike());
    for (const end of ["\n", "\r\n", " "]) {
      await callJson({ ...endpoint, headers: { "x-key": `a b${end}` } }, { path: "/" });
      expect(server.requests.at(-1)?.headers["x-key"]).toBe("a b");
    }
  });

  test("reads lines that are cut at every byte", async () => {
    const text = Buffer.from('{"a":"grüß 👋"}\r\n\n{"b":2}\n');
    const { endpoint } = await start(async (_request, response) => {
      for (const byte of text) {
        response.write(Buffer.from([byte]));
        await sleep(0);
      }
      response.end();
    }, fetchLike());
    expect(await all(callLines(endpoint, { path: "/" }))).toEqual(['{"a":"grüß 👋"}', '{"b":2}']);
  });

  test("reads server-sent events", async () => {
    const { endpoint } = await start(
      (_request, response) => response.end("data: 1\n\ndata: 2\n\n"),
      fetchLike(),
    );
    expect((await all(callSse(endpoint, { path: "/" }))).map((event) => event.data)).toEqual(["1", "2"]);
  });

  test("an abort before the headers closes the socket and hands on the caller's reason", async () => {
    const { server, endpoint } = await start(() => undefined, fetchLike());
    const controller = new AbortController();
    const reading = all(callLines(endpoint, { path: "/", signal: controller.signal }));
    await sleep(50);
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(reading).rejects.toBe(reason);
    await within(250, server.closed(), "the server sees the close");
  });

  test("an abort in the middle closes the socket", async () => {
    const { server, endpoint } = await start(
      (_request, response) => void response.write("one\n"),
      fetchLike(),
    );
    const controller = new AbortController();
    const reading = (async () => {
      for await (const lines of callLines(endpoint, { path: "/", signal: controller.signal }))
        controller.abort(lines.length === 1 ? "stop" : "too many");
    })();
    await expect(reading).rejects.toBe("stop");
    await within(250, server.closed(), "the server sees the close");
  });

  test("leaving the loop closes the socket", async () => {
    const { server, endpoint } = await start(
      (_request, response) => void response.write("one\n"),
      fetchLike(),
    );
    for await (const lines of callLines(endpoint, { path: "/" })) {
      expect(lines).toEqual(["one"]);
      break;
    }
    await within(250, server.closed(), "the server sees the close");
  });

  test("a signal that was aborted before sends nothing", async () => {
    const { server, endpoint } = await start((_request, response) => response.end("{}"), fetchLike());
    await expect(callJson(endpoint, { path: "/", signal: AbortSignal.abort("no") })).rejects.toBe("no");
    expect(server.requests).toEqual([]);
  });

  test("silence before the first byte is a timeout of that phase", async () => {
    const { server, endpoint } = await start(() => undefined, fetchLike());
    const error = await faultOf(all(callLines(endpoint, { path: "/", timeouts: { firstEvent: 60 } })));
    expect(error).toMatchObject({ code: "timeout", phase: "first-event", retryable: true });
    await within(250, server.closed(), "the server sees the close");
  });

  test("silence in the middle is a timeout, and a slow reader is not", async () => {
    const { endpoint } = await start((_request, response) => void response.write("one\n"), fetchLike());
    const reading = (async () => {
      for await (const lines of callLines(endpoint, { path: "/", timeouts: { idle: 60 } }))
        await sleep(150 * lines.length);
    })();
    const began = performance.now();
    expect(await faultOf(reading)).toMatchObject({ code: "timeout", phase: "stream" });
    expect(performance.now() - began).toBeGreaterThan(190);
  });

  test("the whole call has a limit when one is given", async () => {
    const { endpoint } = await start((_request, response) => {
      const timer = setInterval(() => response.write("tick\n"), 10);
      response.on("close", () => clearInterval(timer));
    }, fetchLike());
    const error = await faultOf(all(callLines(endpoint, { path: "/", timeouts: { total: 100 } })));
    expect(error).toMatchObject({ code: "timeout", hint: expect.stringContaining("timeouts.total") });
  });

  test("a reset in the middle is stream-interrupted", async () => {
    const { endpoint } = await start((_request, response) => {
      response.write("one\n");
      setTimeout(() => response.socket?.resetAndDestroy(), 20);
    }, fetchLike());
    expect(await faultOf(all(callLines(endpoint, { path: "/" })))).toMatchObject({
      code: "stream-interrupted",
      phase: "stream",
    });
  });

  test("a refused connection is unavailable, with a hint", async () => {
    const { server, endpoint } = await start(() => undefined, fetchLike());
    await server.stop();
    open.pop();
    const error = await faultOf(callJson(endpoint, { path: "/" }));
    expect(error).toMatchObject({ code: "unavailable", phase: "connect", retryable: true });
    expect(error.message).toContain("ECONNREFUSED");
    expect(error.hint).toContain("start the backend");
  });

  test.each([
    [401, "unauthenticated", false],
    [402, "quota-exhausted", false],
    [403, "forbidden", false],
    [404, "model-not-found", false],
    [422, "invalid-request", false],
    [500, "provider-internal", true],
    [503, "unavailable", true],
  ] as const)("status %i is %s", async (status, code, retryable) => {
    const { endpoint } = await start((_request, response) => {
      response.writeHead(status).end('{"error":{"message":"because"}}');
    }, fetchLike());
    const error = await faultOf(all(callSse(endpoint, { path: "/" })));
    expect(error).toMatchObject({ code, retryable, status, phase: "request" });
    expect(error.message).toContain("because");
  });

  test("429 keeps how long to wait", async () => {
    const { endpoint } = await start((_request, response) => {
      response.writeHead(429, { "retry-after": "2" }).end();
    }, fetchLike());
    expect(await faultOf(callJson(endpoint, { path: "/" }))).toMatchObject({
      code: "rate-limited",
      retryAfterMs: 2_000,
    });
  });

  test("a web page is called one, whatever its status", async () => {
    const page: Handler = (_request, response) => response.writeHead(502).end("<!DOCTYPE html><p>nginx</p>");
    const { endpoint } = await start(page, fetchLike());
    const error = await faultOf(callJson(endpoint, { path: "/" }));
    expect(error.message).toContain("web page");
    expect(error.message).not.toContain("nginx");
    const { endpoint: fine } = await start((_request, response) => response.end("<html>"), fetchLike());
    expect(await faultOf(callJson(fine, { path: "/" }))).toMatchObject({ code: "invalid-response" });
  });

  test("an endless error reply is read no further than needed", async () => {
    const { server, endpoint } = await start((_request, response) => {
      response.writeHead(500);
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(16_384)));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    }, fetchLike());
    const error = await within(5_000, faultOf(callJson(endpoint, { path: "/" })), "the error");
    expect(error.message.length).toBeLessThan(500);
    await within(1_000, server.closed(), "the server sees the close");
  });

  test("the backend's own wording may name the fault", async () => {
    const { endpoint } = await start(
      (_request, response) => response.writeHead(400).end("too long"),
      fetchLike(),
    );
    const { LlmError: Fault } = await import("@enginehouse/llm-core");
    const readFault = (status: number, body: string): LlmError | undefined =>
      status === 400 && body === "too long" ? new Fault("context-overflow", body) : undefined;
    expect(await faultOf(callJson(endpoint, { path: "/", readFault }))).toMatchObject({
      code: "context-overflow",
    });
  });
});

test("a connection that is never accepted is a timeout of the connect phase", async () => {
  // A transport that never reports a connection stands in for a network that swallows it.
  const wait = (_url: unknown, init: RequestInit = {}): Promise<never> =>
    new Promise((_, reject) => {
      init.signal?.addEventListener("abort", () => reject(init.signal?.reason as Error));
    });
  const silent: FetchLike = Object.assign(wait, { reportsConnect: true });
  const error = await faultOf(
    callJson({ baseUrl: "http://x", fetch: silent }, { path: "/", timeouts: { connect: 30 } }),
  );
  expect(error).toMatchObject({ code: "timeout", phase: "connect" });
});

test("nothing stays on a long-lived signal after many calls", async () => {
  const { endpoint } = await start((_request, response) => response.end("{}"), viaHttp());
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  };
  for (let call = 0; call < 100; call += 1) await callJson(endpoint, { path: "/", signal });
  expect(listeners).toBe(0);
});
