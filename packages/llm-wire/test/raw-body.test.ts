import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

import { expect, test } from "vitest";

import { messageReads } from "../src/raw-body.ts";

const CHUNKS = ["one ", "two ", "three ", "four"];

/** A message whose chunks, and whose end, wait before anybody reads. */
function waiting(ended: boolean): IncomingMessage {
  const message = new Readable({ read: () => undefined });
  for (const chunk of CHUNKS) message.push(Buffer.from(chunk));
  if (ended) message.push(null);
  return message as IncomingMessage;
}

test.each([true, false])(
  "chunks that wait are all read, whether the end is there (%s) or not",
  async (ended) => {
    const reads = messageReads(waiting(ended));
    let text = "";
    while (text.length < CHUNKS.join("").length) {
      const read = await reads.next();
      text += Buffer.from(read.value ?? []).toString();
    }
    expect(text).toBe(CHUNKS.join(""));
  },
);

test("chunks that wait come as one read, so that a burst is parsed in one go", async () => {
  const { value } = await messageReads(waiting(false)).next();
  expect(Buffer.from(value ?? []).toString()).toBe(CHUNKS.join(""));
});

const textOf = async (read: Promise<IteratorResult<Uint8Array>>): Promise<string> =>
  Buffer.from((await read).value ?? []).toString();

test("a piece that somebody waits for goes to the reader at once, and what follows waits in the message", async () => {
  const message = new Readable({ read: () => undefined }) as IncomingMessage;
  const reads = messageReads(message);
  const first = reads.next();
  for (const chunk of CHUNKS) message.push(Buffer.from(chunk));
  expect(message.readableLength).toBe("two three four".length);
  expect(await textOf(first)).toBe("one ");
  expect(await textOf(reads.next())).toBe("two three four");
});

test("what nobody waits for is held back by the message's own limit", async () => {
  const message = new Readable({ read: () => undefined, highWaterMark: 10 }) as IncomingMessage;
  const reads = messageReads(message);
  const first = reads.next();
  expect(message.push(Buffer.from("more than ten"))).toBe(true);
  expect(message.push(Buffer.from("more than ten"))).toBe(false);
  expect(await textOf(first)).toBe("more than ten");
  expect(await textOf(reads.next())).toBe("more than ten");
  expect(message.push(null)).toBe(false);
  expect(await reads.next()).toEqual({ value: undefined, done: true });
});

test("a message that was destroyed gives nothing more", async () => {
  const message = new Readable({ read: () => undefined }) as IncomingMessage;
  const read = messageReads(message).next();
  message.destroy();
  message.push(Buffer.from("too late"));
  await expect(read).rejects.toThrow("the connection was closed");
});

test("what arrives behind a piece that waits stays behind it, also when somebody asks meanwhile", async () => {
  const message = new Readable({ read: () => undefined }) as IncomingMessage;
  const reads = messageReads(message);
  const first = reads.next();
  message.push(Buffer.from("one "));
  expect(await textOf(first)).toBe("one ");
  message.push(Buffer.from("two "));
  const second = reads.next();
  message.push(Buffer.from("three "));
  expect(await textOf(second)).toBe("two three ");
});
