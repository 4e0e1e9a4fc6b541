import type { ServerResponse } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { isLlmError } from "@enginehouse/llm-core";
import { expect, test } from "vitest";

import { end, type Handler, pause, piece, setUp } from "./ollama-server.ts";

// What nobody holds any more is no growth.
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** How many are read. */
const COUNT = Number(process.env["FAULTY_STREAMS"] ?? 10_000);

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
const words = line(piece("some ")) + line(piece("words"));

/** Once they have gone out: what is cut off at once would be lost with its headers. */
function afterWords(response: ServerResponse, cut: () => unknown): void {
  response.write(words, () => void setTimeout(cut, 20));
}

const FAULTS: Readonly<Record<string, Handler>> = {
  whole: (_, response) => response.end(words + line(end())),
  "cut politely": (_, response) => response.end(words),
  "cut in a line": (_, response) => response.end(words + '{"message":{"con'),
  "cut in a character": (_, response) => response.end(Buffer.from(line(piece("é"))).subarray(0, 24)),
  "socket closed": (_, response) => afterWords(response, () => response.socket?.end()),
  "socket reset": (_, response) => afterWords(response, () => response.socket?.resetAndDestroy()),
  "reset before the headers": (_, response) => response.socket?.resetAndDestroy(),
  "stall in the middle": (_, response) => response.write(words),
  "stall before the headers": () => undefined,
  "garbage for HTTP": (_, response) => response.socket?.end("garbage, no HTTP\r\n\r\n"),
  "garbage for lines": (_, response) => response.end(`${words}\u0000\u0001{{{\n`),
  "a web page": (_, response) =>
    response.writeHead(200, { "content-type": "text/html" }).end("<html>\n</html>"),
  "an error line": (_, response) => response.end(words + line({ error: "unexpected EOF" })),
  "status 500": (_, response) => response.writeHead(500).end('{"error":"broken"}'),
  "status 500 and a stall": (_, response) => response.writeHead(500).write('{"error'),
  "status 429": (_, response) => response.writeHead(429, { "retry-after": "1" }).end('{"error":"slow down"}'),
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
  "cut in a line": "stream-interrupted",
  "cut in a character": "stream-interrupted",
  "garbage for lines": "invalid-response",
  "an error line": "stream-interrupted",
};

test(`${COUNT} faulty streams end in a finish or in an error with a code, and hold neither sockets nor memory`, async () => {
  const names = Object.keys(FAULTS);
  await using given = await setUp({
    "POST /api/chat": (asked, response, count) => {
      const name = asked.body.messages[0].content as string;
      FAULTS[name]?.(asked, response, count);
    },
  });
  const outcomes = new Map<string, Set<string>>();
  const readOne = async (index: number): Promise<void> => {
    const name = names[index % names.length] ?? "";
    let outcome = "";
    try {
      // Where the server means to answer, a busy machine is no fault.
      const timeouts = name.includes("stall")
        ? { firstEvent: 50, idle: 50 }
        : { firstEvent: 30_000, idle: 30_000 };
      const request = { model: "m", messages: [{ role: "user", content: name }] } as const;
      for await (const event of given.ollama.stream(request, { timeouts }))
        if (event.type === "finish") outcome += "finish";
    } catch (error) {
      if (!isLlmError(error)) throw error;
      outcome += error.code;
    }
    outcomes.set(name, (outcomes.get(name) ?? new Set()).add(outcome));
  };
  let next = 0;
  const worker = async (until: number): Promise<void> => {
    while (next < until) await readOne((next += 1));
  };
  const run = (until: number): Promise<unknown> =>
    Promise.all(Array.from({ length: 32 }, () => worker(until)));
  const asked = given.server.asked as unknown[];
  await run(COUNT / 2);
  asked.length = 0;
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  await run(COUNT);
  asked.length = 0;
  collectGarbage();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 * 1024 * 1024);

  for (const [name, seen] of outcomes) expect([name, ...seen]).toEqual([name, ENDS[name]]);
  expect(outcomes.size).toBe(names.length);
  await given.ollama.close();
  for (let wait = 0; given.server.openSockets() > 0 && wait < 100; wait += 1) await pause(20);
  expect(given.server.openSockets()).toBe(0);
}, 900_000);
