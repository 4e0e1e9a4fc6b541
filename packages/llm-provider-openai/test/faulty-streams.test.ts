import type { ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { isLlmError } from "@enginehouse/llm-core";
import { expect, test } from "vitest";

import { type Answer, ENDING, event, piece, REQUEST, setUp, streamOf } from "./server.ts";

/** How many are read. */
const COUNT = Number(process.env["FAULTY_STREAMS"] ?? 10_000);

setFlagsFromString("--expose-gc");
// What nobody holds is no leak.
const collectGarbage = runInNewContext("gc") as () => void;

const words = piece("some ") + piece("words");
const json = { "content-type": "application/json" };

/** Once they have gone out: what is cut off at once would be lost with its headers. */
function afterWords(response: ServerResponse, cut: () => unknown): void {
  response.write(words, () => void setTimeout(cut, 20));
}

const FAULTS: Readonly<Record<string, Answer>> = {
  whole: (response) => streamOf(response, words + ENDING),
  "cut politely": (response) => streamOf(response, words),
  "[DONE] without a reason": (response) => streamOf(response, `${words}data: [DONE]\n\n`),
  "an empty piece, then nothing": (response) => streamOf(response, words + piece("")),
  "cut in a piece": (response) => streamOf(response, `${words}data: {"choices":[{"delta":{"con`),
  "socket closed": (response) => afterWords(response, () => response.socket?.end()),
  "socket reset": (response) => afterWords(response, () => response.socket?.resetAndDestroy()),
  "reset before the headers": (response) => response.socket?.resetAndDestroy(),
  "stall in the middle": (response) => response.write(words),
  "stall before the headers": () => undefined,
  "garbage for HTTP": (response) => response.socket?.end("garbage, no HTTP\r\n\r\n"),
  "garbage for a piece": (response) => streamOf(response, `${words}data: \u0001{{{\n\n`),
  "a web page": (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>\n</html>"),
  "a web page as a stream": (response) => streamOf(response, "<html>\n</html>\n\n"),
  "an error piece": (response) => streamOf(response, words + event({ error: { message: "broken" } })),
  "an error with status 200": (response) =>
    response.writeHead(200, json).end('{"error":{"message":"broken"}}'),
  "status 500": (response) => response.writeHead(500, json).end('{"error":{"message":"broken"}}'),
  "status 500 and a stall": (response) => response.writeHead(500, json).write('{"error'),
  "status 429": (response) =>
    response.writeHead(429, { "retry-after": "1" }).end('{"error":{"message":"slow"}}'),
};

/** One kind, one outcome: neither two ends nor, by chance, another one. */
const ENDS: Readonly<Record<string, string>> = {
  whole: "finish",
  "cut politely": "stream-interrupted",
  "socket closed": "stream-interrupted",
  "socket reset": "stream-interrupted",
  "reset before the headers": "unavailable",
  "stall in the middle": "timeout",
  "stall before the headers": "timeout",
  "garbage for HTTP": "invalid-response",
  "a web page": "invalid-response",
  "status 500": "provider-internal",
  "status 500 and a stall": "timeout",
  "status 429": "rate-limited",
  "[DONE] without a reason": "stream-interrupted",
  "an empty piece, then nothing": "stream-interrupted",
  "cut in a piece": "stream-interrupted",
  "garbage for a piece": "invalid-response",
  "a web page as a stream": "invalid-response",
  "an error piece": "provider-internal",
  "an error with status 200": "provider-internal",
};

test(`${COUNT} faulty streams end in a finish or in an error with a code, and hold neither sockets nor memory`, async () => {
  const names = Object.keys(FAULTS);
  await using given = await setUp((response, asked, count) => {
    const { messages } = asked.body as { messages: { content: string }[] };
    FAULTS[messages[0]?.content ?? ""]?.(response, asked, count);
  });
  const outcomes = new Map<string, Set<string>>();
  const readOne = async (name: string): Promise<void> => {
    let outcome = "";
    // Only those that stall have to be waited for; a busy machine must not make a fault of another one.
    const limit = name.includes("stall") ? 50 : 20_000;
    try {
      const request = { ...REQUEST, messages: [{ role: "user", content: name }] } as const;
      for await (const { type } of given.provider.stream(request, {
        timeouts: { firstEvent: limit, idle: limit },
      }))
        if (type === "finish") outcome += "finish";
    } catch (error) {
      if (!isLlmError(error)) throw error;
      outcome += error.code;
    }
    outcomes.set(name, (outcomes.get(name) ?? new Set()).add(outcome));
  };
  let next = 0;
  const worker = async (until: number): Promise<void> => {
    while (next < until) await readOne(names[(next += 1) % names.length] ?? "");
  };
  const run = (until: number): Promise<unknown> =>
    Promise.all(Array.from({ length: 32 }, () => worker(until)));
  await run(COUNT / 2);
  given.asked.length = 0;
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  await run(COUNT);
  given.asked.length = 0;
  collectGarbage();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 * 1024 * 1024);

  for (const [name, seen] of outcomes) expect([name, ...seen]).toEqual([name, ENDS[name]]);
  expect(outcomes.size).toBe(names.length);
  await given.provider.close();
  for (let wait = 0; given.openSockets() > 0 && wait < 100; wait += 1) await pause(20);
  expect(given.openSockets()).toBe(0);
}, 900_000);
