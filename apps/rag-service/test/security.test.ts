import { request as httpRequest } from "node:http";
import { connect } from "node:net";

import { afterAll, beforeAll, expect, test } from "vitest";

import { toProblem } from "../src/api/problem.ts";
import type { Problem } from "../src/api/schemas.ts";
import { startServer } from "../src/server.ts";
import { readSettings } from "../src/settings.ts";
import { emptySettings, serverUnderTest } from "./under-test.ts";

let server: Awaited<ReturnType<typeof serverUnderTest>>;

beforeAll(async () => {
  server = await serverUnderTest();
});
afterAll(() => server.close());

/** `fetch` sets Host and Origin by itself, a plain request sets what it is told. */
function ask(path: string, headers: Record<string, string>, method = "GET", url = server.url) {
  return new Promise<{ status: number; headers: Record<string, unknown>; problem: Problem }>(
    (resolve, reject) => {
      const call = httpRequest(new URL(path, url), { method, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece: string) => (text += piece));
        response.on("end", () => {
          const problem = (text.startsWith("{") ? JSON.parse(text) : {}) as Problem;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, problem });
        });
      });
      call.on("error", reject);
      call.end();
    },
  );
}

test("a name that resolves to this computer is not enough: only its own names are answered", async () => {
  const { port } = new URL(server.url);
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, `LOCALHOST:${port}`]) {
    expect((await ask("/healthz", { host })).status).toBe(200);
  }
  for (const host of [
    `rebound.example:${port}`,
    "rebound.example",
    "127.0.0.1.rebound.example",
    "192.0.2.7",
    "localhost@x",
  ]) {
    const refusal = await ask("/api/v1/collections", { host });
    expect([400, 421]).toContain(refusal.status);
  }
  const { problem } = await ask("/api/v1/collections", { host: "rebound.example" });
  expect(problem).toMatchObject({ code: "host-not-allowed" });
});

test("another site's page changes nothing", async () => {
  const { host } = new URL(server.url);
  const path = "/api/v1/collections/default/reindex";
  for (const headers of [
    { origin: "https://elsewhere.example" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
  ]) {
    const refusal = await ask(path, { host, ...headers }, "POST");
    expect(refusal.status).toBe(403);
    expect(refusal.problem.code).toBe("origin-not-allowed");
  }
  expect(
    (await ask(path, { host, origin: server.url, "sec-fetch-site": "same-origin" }, "POST")).status,
  ).toBe(202);
  expect((await ask(path, { host }, "POST")).status).toBe(202);
});

test("every reply, also a refusal, tells the browser to be strict", async () => {
  for (const path of ["/healthz", "/api/v1/nonsense", "/"]) {
    const { headers } = await ask(path, {});
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain("unsafe");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
  }
});

test("bound to more than this computer, the service asks for a key and does not start without one", async () => {
  expect(() => readSettings({ HOST: "0.0.0.0" })).toThrow(/no key is set/);
  const open = await serverUnderTest({}, { HOST: "0.0.0.0", ENGINEHOUSE_API_KEY: "correct-horse-battery" });
  const url = open.url.replace("0.0.0.0", "127.0.0.1");
  try {
    expect((await ask("/healthz", {}, "GET", url)).status).toBe(200);
    const refusal = await ask("/api/v1/collections", {}, "GET", url);
    expect(refusal.status).toBe(401);
    expect(String(refusal.headers["www-authenticate"])).toContain("Basic");
    expect((await ask("/api/v1/collections", { authorization: "Bearer wrong" }, "GET", url)).status).toBe(
      401,
    );
    expect(
      (await ask("/api/v1/collections", { authorization: "Bearer correct-horse-battery" }, "GET", url))
        .status,
    ).toBe(200);
    const basic = Buffer.from("me:correct-horse-battery").toString("base64");
    expect((await ask("/api/v1/collections", { authorization: `Basic ${basic}` }, "GET", url)).status).toBe(
      200,
    );
    // Other machines reach it by its address, and an address cannot be rebound.
    const byAddress = { host: "192.0.2.7:3000", authorization: "Bearer correct-horse-battery" };
    expect((await ask("/api/v1/collections", byAddress, "GET", url)).status).toBe(200);
    expect(
      (await ask("/api/v1/collections", { ...byAddress, host: "rebound.example" }, "GET", url)).status,
    ).toBe(421);
  } finally {
    await open.close();
  }
});

test("a port that is taken, or none at all, is said so", async () => {
  const { port } = new URL(server.url);
  const settings = { ...(await emptySettings()), port: Number(port) };
  await expect(startServer(settings)).rejects.toThrow(`port ${port} of 127.0.0.1 is taken`);
  for (const PORT of ["eighty", "70000", "-1", "3.5"])
    expect(() => readSettings({ PORT })).toThrow(/no port/);
});

test("a configuration that is wrong is refused with the field", async () => {
  const error: unknown = await emptySettings({ ENGINEHOUSE_CONFIG: "/nowhere/config.json" }).catch(
    (cause: unknown) => cause,
  );
  expect(toProblem(error)).toMatchObject({ code: "invalid-settings" });
  expect(toProblem(error).detail).toContain("/nowhere/config.json");
});

/** Bytes as they are, and what comes back until the connection ends. */
async function sayRaw(text: string): Promise<{ status: number; problem: Problem }> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  socket.write(text, "latin1");
  let reply = "";
  for await (const piece of socket) reply += String(piece);
  const [head = "", body = ""] = reply.split("\r\n\r\n");
  expect(head).toMatch(/content-type: application\/problem\+json/i);
  // Node sends a body whose length it does not know in pieces.
  const json = body.slice(body.indexOf("{"), body.lastIndexOf("}") + 1);
  return { status: Number(head.split(" ")[1]), problem: JSON.parse(json) as Problem };
}

test.each([
  ["no Host header", "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
  ["a Host that is no name", "GET /healthz HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", 400],
  ["an unknown method", "FOO / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
  [
    "two lengths",
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    400,
  ],
  ["headers without end", `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(40_000)}\r\n\r\n`, 431],
])("what is no request (%s) is told so in the same form as every failure", async (_what, text, status) => {
  const refusal = await sayRaw(text);
  expect(refusal.status).toBe(status);
  expect(refusal.problem).toMatchObject({ status, code: "invalid-request", hint: expect.any(String) });
});
