import { createServer as createNetServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";

import { isLlmError, LlmError } from "@enginehouse/llm-core";
import { afterEach, describe, expect, test, vi } from "vitest";

import {
  callJson,
  callLines,
  createHttpTransport,
  type Endpoint,
  type EventDecoder,
  type FetchLike,
  retryAfter,
  startDeadlines,
  statusFault,
  streamLines,
  transportFault,
} from "../src/index.ts";
import { type Handler, serve, sleep, type Watched, within } from "./server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

const viaHttp = (): FetchLike => {
  const transport = createHttpTransport();
  cleanups.push(() => transport.close());
  return transport;
};
const ways: [string, () => FetchLike][] = [
  ["node:http", viaHttp],
  ["fetch", () => fetch as FetchLike],
];

async function start(handler: Handler): Promise<Watched> {
  const server = await serve(handler);
  cleanups.push(() => server.stop());
  return server;
}

/** A server that speaks whatever bytes the test wants. */
async function rawServer(reply: string): Promise<{ url: string }> {
  const server: Server = createNetServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(reply));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function faultOf(promise: Promise<unknown>): Promise<LlmError> {
  const error: unknown = await promise.then(
    () => new Error("expected a rejection"),
    (fault: unknown) => fault,
  );
  if (isLlmError(error)) return error;
  throw error;
}

describe.each(ways)("over %s", (_, fetchLike) => {
  test.each(["bad\nkey-value-1", "key-value-1…"])(
    "a key that no header can hold is a fault of the settings, and not shown",
    async (key) => {
      const server = await start((_request, response) => response.end("{}"));
      for (const headers of [{ authorization: `Bearer ${key}` }, { "x-key": key }]) {
        const error = await faultOf(
          callJson({ baseUrl: server.url, fetch: fetchLike(), headers }, { path: "/" }),
        );
        expect(error).toMatchObject({ code: "invalid-settings", retryable: false });
        expect(error.message).toContain(Object.keys(headers)[0]);
        expect(JSON.stringify([error.message, error.stack, String(error.cause)])).not.toContain(
          "key-value-1",
        );
      }
      expect(server.requests).toEqual([]);
    },
  );

  test("a header beyond ASCII keeps its coding whatever the body", async () => {
    const server = await start((_request, response) => response.end("{}"));
    const endpoint = { baseUrl: server.url, fetch: fetchLike(), headers: { "x-title": "Caf\u00E9" } };
    await callJson(endpoint, { path: "/" });
    await callJson(endpoint, { path: "/", body: { text: "\u00E9 \u{1F600} \uD800" } });
    expect(server.requests).toMatchObject([
      { headers: endpoint.headers, body: "" },
      { headers: endpoint.headers, body: '{"text":"\u00E9 \u{1F600} \\ud800"}' },
    ]);
  });

  test.each(["nonsense", "ftp://127.0.0.1", ""])(
    "the address %j is a fault of the settings",
    async (baseUrl) => {
      expect(await faultOf(callJson({ baseUrl, fetch: fetchLike() }, { path: "/a" }))).toMatchObject({
        code: "invalid-settings",
        retryable: false,
      });
    },
  );

  test("an address with a query keeps it behind the path, and out of messages", async () => {
    const server = await start((_request, response) => response.writeHead(500).end());
    const error = await faultOf(
      callJson({ baseUrl: `${server.url}/v1/?sig=abcd&v=2`, fetch: fetchLike() }, { path: "/a" }),
    );
    expect(server.requests[0]?.path).toBe("/v1/a?sig=abcd&v=2");
    expect(error.message).not.toContain("abcd");
  });

  test("what is no HTTP is invalid-response", async () => {
    const { url } = await rawServer("SSH-2.0-OpenSSH_9.6\r\n");
    expect(await faultOf(callJson({ baseUrl: url, fetch: fetchLike() }, { path: "/" }))).toMatchObject({
      code: "invalid-response",
      phase: "request",
    });
  });

  test("a reply of JSON that breaks off is stream-interrupted", async () => {
    const { url } = await rawServer('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a":');
    expect(await faultOf(callJson({ baseUrl: url, fetch: fetchLike() }, { path: "/" }))).toMatchObject({
      code: "stream-interrupted",
      phase: "stream",
    });
  });

  test("a connection closed without an answer is a fault of the request, not of connecting", async () => {
    const { url } = await rawServer("");
    expect(await faultOf(callJson({ baseUrl: url, fetch: fetchLike() }, { path: "/" }))).toMatchObject({
      code: "unavailable",
      phase: "request",
    });
  });

  test("a body that cannot be written as JSON is invalid-request", async () => {
    const error = await faultOf(
      callJson({ baseUrl: "http://127.0.0.1:1", fetch: fetchLike() }, { path: "/", body: { n: 1n } }),
    );
    expect(error).toMatchObject({ code: "invalid-request", retryable: false });
  });

  test("a line that the decoder cannot read is invalid-response, and a bug in it is not the network's", async () => {
    const server = await start((_request, response) => response.end('{"a":\n'));
    const endpoint: Endpoint = { baseUrl: server.url, fetch: fetchLike() };
    const reading = (add: (line: string) => unknown): Promise<unknown> => {
      const stream = streamLines(
        endpoint,
        { path: "/" },
        { start: () => [], add: (lines) => (lines.forEach((line) => add(line)), []), finish: () => [] },
      );
      return stream.next().then(() => stream.next());
    };
    expect(await faultOf(reading((line) => JSON.parse(line)))).toMatchObject({
      code: "invalid-response",
      phase: "stream",
    });
    const bug = new TypeError("undefined is not a function");
    await expect(
      reading(() => {
        throw bug;
      }),
    ).rejects.toBe(bug);
  });

  test("a line that was cut off by a polite end is stream-interrupted, and a page is none", async () => {
    const ended = async (body: string): Promise<LlmError> => {
      const server = await start((_request, response) => response.end(body));
      const stream = streamLines(
        { baseUrl: server.url, fetch: fetchLike() },
        { path: "/" },
        {
          start: () => [],
          add: (lines) => (lines.forEach((line) => JSON.parse(line)), []),
          finish: () => [],
        },
      );
      await stream.next();
      return faultOf(stream.next());
    };
    expect(await ended('{"a":1}\n{"a":')).toMatchObject({
      code: "stream-interrupted",
      hint: expect.stringContaining("again"),
    });
    expect(await ended("<html>\n</html>")).toMatchObject({ code: "invalid-response" });
    expect(await ended("<html></html>")).toMatchObject({ code: "invalid-response" });
  });

  test("an error behind events is thrown once they are read, without another sign of the backend", async () => {
    const server = await start((_request, response) => response.write("text\nerror\n"));
    let fault: LlmError | undefined;
    const stream = streamLines(
      { baseUrl: server.url, fetch: fetchLike() },
      { path: "/" },
      {
        start: () => [],
        add(lines) {
          if (lines.includes("error")) fault = new LlmError("provider-internal", "it gave up");
          return [{ type: "text-delta", id: "1", text: "half" }];
        },
        finish: () => [],
        fault: () => fault,
      },
    );
    await stream.next();
    expect(await stream.next()).toMatchObject({ value: [{ text: "half" }] });
    expect(await faultOf(within(1_000, stream.next(), "the error that waits"))).toBe(fault);
    await within(1_000, server.closed(), "the socket is closed");
    expect(await stream.next()).toEqual({ value: undefined, done: true });
  });

  test("counts that were told before a break go with the fault, whoever caused it", async () => {
    const usage = { inputTokens: 33, outputTokens: undefined };
    const counting = (): EventDecoder<string> => ({
      start: () => [],
      add: (lines) => lines.map((text) => ({ type: "text-delta", id: "1", text })),
      finish() {
        throw new TypeError("a bug");
      },
      usage: () => usage,
    });
    const open = async (handler: Handler, signal?: AbortSignal) => {
      const server = await start(handler);
      const endpoint = { baseUrl: server.url, fetch: fetchLike() };
      const stream = streamLines(endpoint, { path: "/", signal }, counting());
      await stream.next();
      await stream.next();
      return stream;
    };
    const cut = await open((_request, response) => {
      response.write("half\n");
      setTimeout(() => response.destroy(), 20);
    });
    expect(await faultOf(cut.next())).toMatchObject({ code: "stream-interrupted", partial: { usage } });
    const buggy = await open((_request, response) => {
      response.write("half\n");
      setTimeout(() => response.end(), 20);
    });
    expect(await faultOf(buggy.next())).toMatchObject({ code: "provider-internal", partial: { usage } });
    const controller = new AbortController();
    const aborted = await open((_request, response) => response.write("half\n"), controller.signal);
    const reading = faultOf(aborted.next());
    controller.abort(new Error("enough"));
    expect(await reading).toMatchObject({
      code: "aborted",
      message: "enough",
      cause: controller.signal.reason,
      partial: { usage },
    });
  });

  test("leaving while the headers are awaited closes the socket", async () => {
    const server = await start(() => undefined);
    const lines = callLines({ baseUrl: server.url, fetch: fetchLike() }, { path: "/" });
    const reading = lines.next().catch((error: unknown) => error);
    while (server.requests.length === 0) await sleep(5);
    await lines.return?.();
    await within(1_000, server.closed(), "the server sees the close");
    expect(isLlmError(await reading) || (await reading)).toBeTruthy();
  });
});

describe("over node:http", () => {
  test("a status that no Response can have is invalid-response and closes the socket", async () => {
    const { url } = await rawServer("HTTP/1.1 999 Odd\r\ncontent-length: 2\r\n\r\nok");
    expect(await faultOf(callJson({ baseUrl: url, fetch: viaHttp() }, { path: "/" }))).toMatchObject({
      code: "invalid-response",
    });
  });

  test("headers that node refuses together with a body are a fault, also once the connection is gone", async () => {
    const server = await start((_request, response) => response.end("{}"));
    const transport = createHttpTransport();
    const endpoint = { baseUrl: server.url, fetch: transport, headers: { trailer: "x-sum" } };
    const fault = await faultOf(callJson(endpoint, { path: "/", body: {} }));
    expect(fault.message).toContain("Trailers are invalid");
    await sleep(20);
    transport.close();
    // A rejection that nobody waits for would end the process here.
    await sleep(20);
  });

  test("redirects can be refused, keys of any name stay with their origin, and the reply says where it came from", async () => {
    const other = await start((_request, response) => response.end("there"));
    const server = await start((_request, response) =>
      response.writeHead(302, { location: `${other.url}/x` }).end(),
    );
    const transport = viaHttp();
    await expect(transport(server.url, { redirect: "error" })).rejects.toThrow(/redirect/);
    const response = await transport(server.url, { headers: { "x-api-key": "k", accept: "text/a" } });
    expect(await response.text()).toBe("there");
    expect(other.requests[0]?.headers).toMatchObject({ accept: "text/a" });
    expect(other.requests[0]?.headers).not.toHaveProperty("x-api-key");
    expect([response.url, response.redirected]).toEqual([`${other.url}/x`, true]);
  });

  test("reads made ahead are all answered", async () => {
    const server = await start((_request, response) => response.end("one\ntwo\n"));
    const { readsOf } = await import("../src/index.ts");
    const reads = readsOf(await viaHttp()(server.url));
    const all = await within(2_000, Promise.all([reads.next(), reads.next(), reads.next()]), "all reads");
    expect(all.at(-1)?.done).toBe(true);
  });
});

describe("deadlines", () => {
  test.each([Number.NaN, -1])("of %d are refused", (idle) => {
    expect(() => startDeadlines({ idle })).toThrow(/timeouts\.idle/);
  });

  test("leave no timer, also when a connection is told after their end", () => {
    vi.useFakeTimers();
    const deadlines = startDeadlines();
    deadlines.end();
    deadlines.connected();
    deadlines.waiting();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that are Infinity set no timer, and huge ones do not fire early", () => {
    vi.useFakeTimers();
    const none = Number.POSITIVE_INFINITY;
    const off = startDeadlines({ connect: none, firstEvent: none, idle: none });
    expect(vi.getTimerCount()).toBe(0);
    off.end();
    const huge = startDeadlines({ connect: 2 ** 40 });
    vi.advanceTimersByTime(2 ** 33);
    expect(huge.fault).toBeUndefined();
    vi.advanceTimersByTime(2 ** 40);
    expect(huge.fault).toMatchObject({ phase: "connect" });
    huge.end();
  });

  test("pass in their phases: connect, first event beyond 300 s, idle, total", () => {
    vi.useFakeTimers();
    const phaseAfter = (
      run: (deadlines: ReturnType<typeof startDeadlines>) => void,
      timeouts = {},
    ): unknown => {
      const deadlines = startDeadlines(timeouts);
      run(deadlines);
      deadlines.end();
      return deadlines.fault?.phase;
    };
    expect(phaseAfter(() => vi.advanceTimersByTime(5_001))).toBe("connect");
    expect(
      phaseAfter((one) => (one.connected(), one.waiting(), vi.advanceTimersByTime(599_000))),
    ).toBeUndefined();
    expect(phaseAfter((one) => (one.connected(), one.waiting(), vi.advanceTimersByTime(600_001)))).toBe(
      "first-event",
    );
    const heard = (one: ReturnType<typeof startDeadlines>): void => (
      one.connected(),
      one.waiting(),
      one.arrived()
    );
    expect(phaseAfter((one) => (heard(one), vi.advanceTimersByTime(10_000_000)))).toBeUndefined();
    expect(phaseAfter((one) => (heard(one), one.waiting(), vi.advanceTimersByTime(120_001)))).toBe("stream");
    expect(phaseAfter((one) => (heard(one), vi.advanceTimersByTime(1_001)), { total: 1_000 })).toBe("stream");
    expect(phaseAfter(() => vi.advanceTimersByTime(1), { connect: 0 })).toBe("connect");
  });

  test("a silence is counted from its own beginning, and noticed a tenth late at most", () => {
    vi.useFakeTimers();
    const afterSecondSilence = (ms: number): unknown => {
      const deadlines = startDeadlines({ idle: 1_000 });
      deadlines.connected();
      for (const pause of [10, 950, 950, ms]) {
        deadlines.waiting();
        vi.advanceTimersByTime(pause);
        if (pause !== ms) deadlines.arrived();
      }
      deadlines.end();
      return deadlines.fault?.phase;
    };
    expect(afterSecondSilence(999)).toBeUndefined();
    expect(afterSecondSilence(1_101)).toBe("stream");
  });
});

test("what a server cannot do at all is not worth another try", () => {
  expect(statusFault(501, new Headers(), "", "x")).toMatchObject({ code: "unsupported", retryable: false });
  expect(statusFault(529, new Headers(), "", "x")).toMatchObject({ retryable: true });
  expect(retryAfter(new Headers({ "retry-after-ms": "" }))).toBeUndefined();
});

test.each(["ENOTFOUND", "EAI_AGAIN"])("%s asks for the network before it blames the address", (code) => {
  const error = transportFault(Object.assign(new Error("lookup"), { code }), "http://models.test", false);
  expect(error).toMatchObject({ code: "unavailable", phase: "connect", retryable: true });
  expect(error.hint).toMatch(/computer online.*address in the settings/);
});
