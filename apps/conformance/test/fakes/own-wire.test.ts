import { expect, test } from "vitest";

import {
  beginChat,
  type ChatWords,
  httpFake,
  ndjson,
  streamChat,
  wordsOfMessages,
} from "../../src/fakes/index.ts";

// A wire of somebody else's, by what the package exports and nothing more.
const words: ChatWords = {
  framing: ndjson(),
  opening: () => [],
  text: (text) => [{ json: { say: text } }],
  reasoning: () => [],
  call: () => [],
  error: (message) => [{ json: { oops: message } }],
  empty: () => [{ json: {} }],
  terminal: ({ end, usage }) => [
    { json: { over: typeof end === "string" ? end : end.raw, cost: usage?.output ?? null } },
  ],
};

const ownFake = httpFake({
  wire: "own",
  cannot: { reasoning: "the wire has no word for thoughts", calls: "nor for calls" },
  read({ path, body }) {
    const { ask } = body as { ask: string };
    const operation = path === "/say" ? "chat" : "other";
    return { operation, asked: { model: "kit-chat", messages: [{ role: "user", text: ask }] } };
  },
  refuse: ({ status, message }) => ({ no: message ?? `status ${status}` }),
  async answer(exchange) {
    const script = exchange.house.nextChat();
    await exchange.generate(async () => {
      const refusal = await beginChat(exchange, script);
      if (refusal !== undefined) return exchange.refuse(refusal);
      await streamChat(exchange, script, words, { tokens: wordsOfMessages(exchange.asked.messages) });
    });
  },
});

test("a wire of one's own plays steps, faults and refusals that only its words were given for", async () => {
  const backend = await ownFake.start({
    chats: [
      { steps: [{ text: "Good " }, { text: "day." }] },
      { steps: [{ text: "Good " }, { error: "the runner is gone" }] },
      { steps: [{ text: "Good " }], end: "none" },
      { refusal: { status: 503, message: "not yet" } },
    ],
  });
  const ask = async (): Promise<string> => {
    const reply = await fetch(`${backend.address}/say`, { method: "POST", body: '{"ask":"How are you?"}' });
    return `${reply.status} ${(await reply.text()).trim().replaceAll("\n", " ")}`;
  };
  expect(await ask()).toBe('200 {"say":"Good "} {"say":"day."} {"over":"stop","cost":2}');
  expect(await ask()).toBe('200 {"say":"Good "} {"oops":"the runner is gone"}');
  expect(await ask()).toBe('200 {"say":"Good "}');
  expect(await ask()).toBe('503 {"no":"not yet"}');
  expect(backend.seen.requests[0]).toMatchObject({ operation: "chat", asked: { model: "kit-chat" } });
  await backend.close();
});
