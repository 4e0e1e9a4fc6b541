import { isLlmError } from "@enginehouse/llm-core";
import { afterEach, expect, test } from "vitest";

import { callLines, createHttpTransport } from "../src/index.ts";
import { type Handler, serve, sleep, type Watched } from "./server.ts";

/** How many faulty streams are read; `FAULTY_STREAMS=10000` for the long run. */
const COUNT = Number(process.env["FAULTY_STREAMS"] ?? 300);

const FAULTS: readonly Handler[] = [
  (_request, response) => response.end("whole\n"),
  (_request, response) => (response.write("cut\n"), response.socket?.end()),
  (_request, response) => response.write("stall\n"),
  (_request, response) => (response.write("reset\n"), response.socket?.resetAndDestroy()),
  (_request, response) => response.socket?.end("garbage, no HTTP\r\n\r\n"),
  (_request, response) => response.writeHead(500).end('{"error":"broken"}'),
  (_request, response) => response.writeHead(429, { "retry-after": "1" }).end(),
  () => undefined,
];

const CODES = new Set([
  "stream-interrupted",
  "timeout",
  "invalid-response",
  "provider-internal",
  "rate-limited",
  "unavailable",
]);

let server: Watched | undefined;
afterEach(() => server?.stop());

test("faulty streams all end whole or in an error with a code, and hold neither sockets nor memory", async () => {
  server = await serve((request, response, body) =>
    FAULTS[Number(request.url?.slice(1)) % FAULTS.length]?.(request, response, body),
  );
  const transport = createHttpTransport();
  const endpoint = { baseUrl: server.url, fetch: transport };
  const outcomes = new Map<string, number>();
  const readOne = async (index: number): Promise<void> => {
    let outcome = "whole";
    try {
      const timeouts = { firstEvent: 300, idle: 100 };
      for await (const lines of callLines(endpoint, { path: `/${index}`, timeouts }))
        outcome = lines.at(-1) ?? outcome;
    } catch (error) {
      if (!isLlmError(error)) throw error;
      outcome = error.code;
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  };
  let next = 0;
  const worker = async (until: number): Promise<void> => {
    while (next < until) await readOne((next += 1));
  };
  const run = (until: number): Promise<unknown> =>
    Promise.all(Array.from({ length: 32 }, () => worker(until)));
  await run(COUNT / 2);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  await run(COUNT);
  globalThis.gc?.();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(48 * 1024 * 1024);
  transport.close();
  for (let wait = 0; server.open() > 0 && wait < 100; wait += 1) await sleep(20);
  expect(server.open()).toBe(0);
  expect([...outcomes.keys()].filter((outcome) => !CODES.has(outcome))).toEqual(["whole"]);
  expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(COUNT);
}, 600_000);
