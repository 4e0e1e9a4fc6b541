import { expect, test } from "vitest";

import type { Asked } from "../../src/backend.ts";
import { inProcessFake } from "../../src/fakes/index.ts";
import type { TokenPiece, TokenSource } from "../../src/fakes/index.ts";
import type { Scenario } from "../../src/scenario.ts";

const open = async (scenario: Scenario) => {
  let source: TokenSource | undefined;
  const fake = inProcessFake({
    wire: "engine",
    cannot: { version: "the engine has none" },
    attach(given) {
      source = given;
      return { settings: { engine: "given" } };
    },
  });
  const backend = await fake.start(scenario);
  if (source === undefined) throw new Error("nothing was attached");
  return { fake, backend, source };
};

const all = async (pieces: AsyncIterable<TokenPiece>): Promise<TokenPiece[]> => {
  const found: TokenPiece[] = [];
  for await (const piece of pieces) found.push(piece);
  return found;
};

const hello: Asked = { model: "kit-chat", messages: [{ role: "user", text: "one two" }] };

test("an engine gets an answer piece by piece, and what it asked for is seen", async () => {
  const { fake, backend, source } = await open({
    chats: [{ steps: [{ reasoning: "hm" }, { text: "well" }, { call: { name: "go", input: { to: 1 } } }] }],
  });
  const pieces = await all(source.generate(hello));
  expect(pieces).toMatchObject([
    { type: "reasoning", text: "hm" },
    { type: "text", text: "well" },
    { type: "call", name: "go", inputText: '{"to":1}' },
    { type: "end", end: "tool-calls", usage: { input: 2, output: 3 } },
  ]);
  expect(backend.settings).toEqual({ engine: "given" });
  expect(backend.seen.requests).toMatchObject([{ operation: "chat", asked: hello, leftAt: undefined }]);
  expect(backend.seen.generating).toBe(0);
  expect(fake.cannot).toMatchObject({
    version: "the engine has none",
    sockets: expect.any(String) as string,
  });
});

test("an abort, a closed backend and a loop that is left end a generation", async () => {
  const { backend, source } = await open({ chats: [{ steps: [{ text: "one" }, { pause: "forever" }] }] });
  const leave = new AbortController();
  const aborted = all(source.generate(hello, leave.signal));
  await backend.seen.until((seen) => seen.generating === 1, "it has begun");
  leave.abort();
  await expect(aborted).rejects.toThrow();
  for await (const piece of source.generate(hello)) {
    expect(piece).toEqual({ type: "text", text: "one" });
    break;
  }
  expect(backend.seen.requests.map((request) => request.leftAt === undefined)).toEqual([false, false]);
  const closed = all(source.generate(hello));
  await backend.seen.until((seen) => seen.generating === 1, "it has begun");
  await backend.close();
  await expect(closed).rejects.toThrow();
});

test("a load has a window, and an engine that dies says so", async () => {
  const { backend, source } = await open({
    loads: [{ window: 16 }],
    chats: [{ steps: [{ text: "one" }, { cut: "reset" }] }],
  });
  expect(await source.load("kit-chat", { window: 64 })).toBe(16);
  expect(backend.seen.loaded).toEqual([{ id: "kit-chat", window: 16, keepAliveMs: undefined }]);
  await expect(all(source.generate(hello))).rejects.toThrow("the engine died");
  expect(await source.embed({ model: "kit-embed", texts: ["a", "a"] })).toHaveLength(2);
  source.unload("kit-chat");
  expect(backend.seen.loaded.map((model) => model.id)).toEqual(["kit-embed"]);
  await backend.close();
});
