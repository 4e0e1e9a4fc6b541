import { once } from "node:events";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";

import { expect, onTestFinished, test } from "vitest";

import type { Backend } from "../../src/backend.ts";
import { fixtureBody, fixtureNames, readFixture, replayFixture } from "../../src/fakes/index.ts";
import type { ReplayOptions } from "../../src/fakes/index.ts";

const replay = async (name: string | readonly string[], options?: ReplayOptions): Promise<Backend> => {
  const backend = await replayFixture(name, options);
  onTestFinished(() => backend.close());
  return backend;
};

const reads = async (address: string, method: string): Promise<{ status: number; chunks: Buffer[] }> => {
  const call = request(address, { method });
  call.end(method === "POST" ? "{}" : undefined);
  const [response] = (await once(call, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return { status: response.statusCode ?? 0, chunks };
};

test.each([
  "ollama/chat-unicode",
  "llama-server/chat-tools-stream",
  "ollama-0.13/chat-load",
  "ollama/queue-full",
])("%s comes with its bytes, its status and its reads", async (name) => {
  const fixture = readFixture(name);
  const backend = await replay(name);
  const { status, chunks } = await reads(`${backend.address}${fixture.request.path}`, "POST");
  expect(status).toBe(fixture.response.status);
  expect(Buffer.concat(chunks).toString()).toBe(fixtureBody(fixture));
  expect(chunks).toHaveLength(fixture.response.chunks.length);
  expect(backend.seen.requests).toMatchObject([{ path: fixture.request.path, leftAt: undefined }]);
});

test("a stream that the server cut is cut again", async () => {
  const backend = await replay("llama-server/chat-server-killed");
  await expect(reads(`${backend.address}/v1/chat/completions`, "POST")).rejects.toThrow("aborted");
});

test("waits can be as long as they were", async () => {
  const fixture = readFixture("ollama/chat-runner-killed");
  const backend = await replay("ollama/chat-runner-killed", { slower: 0.1 });
  const started = performance.now();
  await reads(`${backend.address}/api/chat`, "POST");
  const recorded = fixture.response.chunks.at(-1)?.ms ?? 0;
  expect(performance.now() - started).toBeGreaterThan(recorded * 0.1 * 0.9);
});

test("several replies go to their own paths, those of one path in turn", async () => {
  const backend = await replay(["ollama/version", "ollama/ps-empty", "ollama/ps-loaded"]);
  const get = async (path: string): Promise<string> => (await fetch(`${backend.address}${path}`)).text();
  expect(await get("/api/version")).toBe('{"version":"0.0.0"}');
  expect(await get("/api/ps")).toBe('{"models":[]}');
  expect(await get("/api/ps")).toContain("reference-model");
  expect(await get("/api/ps")).toContain("reference-model");
  expect((await fetch(`${backend.address}/api/tags`)).status).toBe(404);
});

test("every recording can be read", () => {
  const names = (["ollama", "ollama-0.13", "llama-server"] as const).flatMap(fixtureNames);
  expect(names.length).toBeGreaterThan(200);
  expect(names.map(readFixture).filter((fixture) => fixture.request.path === undefined)).toEqual([]);
});
