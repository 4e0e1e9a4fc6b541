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
