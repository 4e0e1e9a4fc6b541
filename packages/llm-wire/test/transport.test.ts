import { getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { afterEach, describe, expect, test, vi } from "vitest";

import { callLines, createHttpTransport, type HttpTransport, readsOf } from "../src/index.ts";
import { type Handler, serve, sleep, type Watched, within } from "./server.ts";

let server: Watched;
let transport: HttpTransport;

async function start(handler: Handler): Promise<void> {
  server = await serve(handler);
  transport = createHttpTransport();
}

afterEach(async () => {
  transport.close();
  await server.stop();
});

describe("the transport is a fetch", () => {
  test("for JSON, headers, status and text", async () => {
    await start((_request, response) =>
      response.writeHead(201, { "x-a": "1", "set-cookie": ["a", "b"] }).end('{"a":1}'),
    );
    const response = await transport(server.url, { method: "POST", body: "hello", headers: { "x-b": "2" } });
    expect(response.status).toBe(201);
    expect(response.headers.get("x-a")).toBe("1");
    expect(response.headers.getSetCookie()).toEqual(["a", "b"]);
    expect(await response.json()).toEqual({ a: 1 });
    expect(server.requests).toMatchObject([{ method: "POST", body: "hello", headers: { "x-b": "2" } }]);
  });

  test("for Request objects, forms and bytes", async () => {
    await start((request, response, body) => response.end(`${request.headers["content-type"]} ${body}`));
    const asked = new Request(server.url, {
      method: "PUT",
      body: "x",
      headers: { "content-type": "text/a" },
    });
    expect(await (await transport(asked)).text()).toBe("text/a x");
    const form = await transport(server.url, { method: "POST", body: new URLSearchParams({ a: "1" }) });
    expect(await form.text()).toContain("application/x-www-form-urlencoded;charset=UTF-8 a=1");
    const bytes = await transport(server.url, { method: "POST", body: new Uint8Array([104, 105]) });
    expect(await bytes.text()).toContain("hi");
  });

  test("for replies without a body", async () => {
    await start((_request, response) => response.writeHead(204).end());
    const response = await transport(server.url);
    expect(response.body).toBeNull();
    expect((await transport(server.url, { method: "HEAD" })).body).toBeNull();
  });

  test("whose web stream can be cancelled", async () => {
    await start((_request, response) => void response.write("one"));
    const response = await transport(server.url);
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("one");
    await reader?.cancel();
    await server.closed();
    expect(server.requests).toHaveLength(1);
  });

  test("that follows redirects and leaves credentials behind on another origin", async () => {
    const other = await serve((_request, response) => response.end("there"));
    await start((request, response) => {
      const to = request.url === "/far" ? other.url : "/near";
      if (request.url === "/near") response.end("near");
      else response.writeHead(307, { location: to }).end();
    });
    const headers = { authorization: "Bearer secret-value", "x-team": "whatever it is" };
    try {
      expect(await (await transport(`${server.url}/a`, { method: "POST", body: "b", headers })).text()).toBe(
        "near",
      );
      expect(server.requests.at(-1)).toMatchObject({ method: "POST", body: "b", headers });
      expect(await (await transport(`${server.url}/far`, { headers })).text()).toBe("there");
      expect(other.requests[0]?.headers).not.toHaveProperty("authorization");
      expect(other.requests[0]?.headers).not.toHaveProperty("x-team");
    } finally {
      await other.stop();
    }
  });

  test("that gives up on endless redirects", async () => {
    await start((_request, response) => response.writeHead(302, { location: "/again" }).end());
    await expect(transport(server.url)).rejects.toThrow(/redirects/);
  });

  test("that rejects with the signal's reason", async () => {
    await start(() => undefined);
    const controller = new AbortController();
    setTimeout(() => controller.abort("why"), 30);
    await expect(transport(server.url, { signal: controller.signal })).rejects.toBe("why");
  });

  test("that uses a connection once where the request says so", async () => {
    const used: unknown[] = [];
    await start((request, response) => {
      used.push(request.socket);
      // It promises to keep the connection, and does not.
      response.removeHeader("connection");
      response.shouldKeepAlive = true;
      response.end("x", () => setTimeout(() => request.socket.destroy(), 1));
    });
    const headers = { connection: "close" };
    for (let call = 0; call < 40; call += 1) {
      expect(await (await transport(server.url, { headers })).text()).toBe("x");
      await sleep(call % 4);
    }
    expect(new Set(used).size).toBe(40);
  });

  test("that takes no compressed reply, and says so before", async () => {
    await start((request, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(request.headers["accept-encoding"]),
    );
    await expect(transport(server.url)).rejects.toMatchObject({
      code: "invalid-response",
      message: expect.stringContaining("gzip"),
    });
    expect(server.requests[0]?.headers["accept-encoding"]).toBe("identity");
  });

  test("that changes to no other protocol", async () => {
    await start((request) => {
      request.socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
    });
    await expect(within(2_000, transport(server.url), "an answer")).rejects.toThrow("a reply of status 101");
  });

  test("that uses one connection for calls after each other", async () => {
    await start((_request, response) => response.end("x"));
    for (let call = 0; call < 3; call += 1) await (await transport(server.url)).text();
    expect(server.open()).toBe(1);
  });
});

test("a body dropped before it is read closes the connection without an uncaught error", async () => {
  await start((_request, response) => void response.write("one"));
  const controller = new AbortController();
  const response = await transport(server.url, { signal: controller.signal });
  controller.abort(new Error("dropped"));
  await server.closed();
  await expect(readsOf(response).next()).rejects.toThrow("dropped");
});

test("a signal that outlives its calls keeps no listener of theirs", async () => {
  await start((_request, response) => response.end("x"));
  const { signal } = new AbortController();
  for (let call = 0; call < 3; call += 1) await (await transport(server.url, { signal })).text();
  await vi.waitFor(() => expect(getEventListeners(signal, "abort")).toHaveLength(0));
});

test("what was aborted before is not sent", async () => {
  await start((_request, response) => response.end("x"));
  await expect(transport(server.url, { signal: AbortSignal.abort("before") })).rejects.toBe("before");
  expect(server.requests).toHaveLength(0);
});

test("an abort is heard also behind a redirect", async () => {
  await start((request, response) => {
    if (request.url === "/there") response.write("one");
    else response.writeHead(307, { location: "/there" }).end("elsewhere");
  });
  const controller = new AbortController();
  const reads = readsOf(await transport(server.url, { signal: controller.signal }));
  await reads.next();
  await sleep(20);
  const next = reads.next();
  controller.abort(new Error("enough"));
  await expect(within(1_000, next, "the abort")).rejects.toThrow("enough");
  await server.closed();

  const second = new AbortController();
  const call = { path: "/", signal: second.signal };
  const lines = callLines({ baseUrl: server.url, fetch: transport }, call)[Symbol.asyncIterator]();
  const line = lines.next();
  await vi.waitFor(() => expect(server.requests).toHaveLength(4));
  await sleep(20);
  second.abort(new Error("too long"));
  await expect(within(1_000, line, "the abort")).rejects.toThrow("too long");
  await server.closed();
});

test("a call that is over holds neither its caller nor what was sent", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  await start((_request, response) => response.end("one\n"));
  const call = async (): Promise<WeakRef<object>[]> => {
    const { signal } = new AbortController();
    const text = Buffer.from(JSON.stringify({ long: "x".repeat(100_000) }));
    const endpoint = { baseUrl: server.url, fetch: transport };
    const lines = callLines(endpoint, { path: "/", signal, body: { text: "short" } });
    for await (const read of lines) expect(read).toEqual(["one"]);
    await (await transport(server.url, { method: "POST", body: text, signal })).text();
    return [new WeakRef(signal), new WeakRef(text)];
  };
  const held = await call();
  await vi.waitFor(() => {
    collect();
    expect(held.map((one) => one.deref() === undefined)).toEqual([true, true]);
  });
});

test("a slow reader holds the sender back", async () => {
  let sent = 0;
  await start((_request, response) => {
    const piece = Buffer.alloc(64 * 1024);
    const more = (): void => {
      while (!response.destroyed && sent < 256 * 1024 * 1024) {
        sent += piece.length;
        if (!response.write(piece)) {
          response.once("drain", more);
          return;
        }
      }
    };
    more();
  });
  const reads = readsOf(await transport(server.url));
  await reads.next();
  await new Promise((resolve) => {
    setTimeout(resolve, 300);
  });
  expect(sent).toBeLessThan(32 * 1024 * 1024);
  await reads.return?.();
});
