import { setTimeout as pause } from "node:timers/promises";

import { generate, type LlmError } from "@enginehouse/llm-core";
import { expect, test } from "vitest";

import { type Answer, piece, REQUEST, setUp } from "./server.ts";

/** The bar is 10 ms; the machine that tests run on may be busy. */
const SOON = 250;

const endless: Answer = (response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const timer = setInterval(() => response.write(piece("la ")), 2);
  response.on("close", () => clearInterval(timer));
};
const silent: Answer = () => undefined;

test("an abort in the middle closes the socket, and what had come goes with the error", async () => {
  await using given = await setUp(endless);
  const left = given.left();
  const abort = new AbortController();
  const reason = new Error("enough");
  let at = 0;
  const read = (async () => {
    for await (const { type } of given.provider.stream(REQUEST, { signal: abort.signal })) {
      if (type !== "text-delta" || at > 0) continue;
      at = performance.now();
      abort.abort(reason);
    }
  })();
  const fault = (await read.catch((error: unknown) => error)) as LlmError;
  expect(fault).toMatchObject({
    code: "aborted",
    cause: reason,
    partial: { text: expect.stringContaining("la ") },
  });
  expect((await left) - at).toBeLessThan(SOON);
});

test("leaving the loop closes the socket", async () => {
  await using given = await setUp(endless);
  const left = given.left();
  let at = 0;
  for await (const { type } of given.provider.stream(REQUEST)) {
    if (type !== "text-delta") continue;
    at = performance.now();
    break;
  }
  expect((await left) - at).toBeLessThan(SOON);
});

test("an abort before the headers closes the socket", async () => {
  await using given = await setUp(silent);
  const left = given.left();
  const abort = new AbortController();
  const call = generate(given.provider, REQUEST, { signal: abort.signal }).catch((error: unknown) => error);
  while (given.asked.length === 0) await pause(2);
  const at = performance.now();
  abort.abort();
  expect(await call).toMatchObject({ code: "aborted" });
  expect((await left) - at).toBeLessThan(SOON);
});

test("a close ends what runs, and later calls are refused", async () => {
  await using given = await setUp(endless);
  const left = given.left();
  const call = generate(given.provider, REQUEST).catch((error: unknown) => error);
  while (given.asked.length === 0) await pause(2);
  const at = performance.now();
  await given.provider.close();
  expect(await call).toMatchObject({ code: "shut-down" });
  expect((await left) - at).toBeLessThan(SOON);
  await expect(given.provider.listModels()).rejects.toMatchObject({ code: "shut-down" });
});

test("an abort while the parts are imported sends nothing", async () => {
  await using given = await setUp(silent);
  const abort = new AbortController();
  const call = generate(given.provider, REQUEST, { signal: abort.signal }).catch((error: unknown) => error);
  abort.abort();
  expect(await call).toMatchObject({ code: "aborted" });
  await pause(50);
  expect(given.asked).toEqual([]);
});
