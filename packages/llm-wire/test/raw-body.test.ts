import { EventEmitter, once } from "node:events";
import type { IncomingMessage } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { Readable } from "node:stream";

import { expect, test } from "vitest";

import { callLines, createHttpTransport } from "../src/index.ts";
import { messageReads, readsOf } from "../src/raw-body.ts";

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

/** A message that a connection fills. */
const pushed = (options: { highWaterMark?: number } = {}): IncomingMessage =>
  new Readable({ ...options, read: () => undefined }) as IncomingMessage;

const textOf = async (read: Promise<IteratorResult<Uint8Array>>): Promise<string> =>
  Buffer.from((await read).value ?? []).toString();

test("a piece that somebody waits for goes to the reader at once, and what follows waits in the message", async () => {
  const message = pushed();
  const reads = messageReads(message);
  const first = reads.next();
  for (const chunk of CHUNKS) message.push(Buffer.from(chunk));
  expect(message.readableLength).toBe("two three four".length);
  expect(await textOf(first)).toBe("one ");
  expect(await textOf(reads.next())).toBe("two three four");
});

test("what nobody waits for is held back by the message's own limit", async () => {
  const message = pushed({ highWaterMark: 10 });
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
  const message = pushed();
  const read = messageReads(message).next();
  message.destroy();
  message.push(Buffer.from("too late"));
  await expect(read).rejects.toThrow("the connection was closed");
});

test("what arrives behind a piece that waits stays behind it, also when somebody asks meanwhile", async () => {
  const message = pushed();
  const reads = messageReads(message);
  const first = reads.next();
  message.push(Buffer.from("one "));
  expect(await textOf(first)).toBe("one ");
  message.push(Buffer.from("two "));
  const second = reads.next();
  message.push(Buffer.from("three "));
  expect(await textOf(second)).toBe("two three ");
});

test("what came before a fault is read before it", async () => {
  const message = pushed();
  const reads = messageReads(message);
  const first = reads.next();
  message.push(Buffer.from("one "));
  message.push(Buffer.from("two "));
  message.destroy(new Error("reset"));
  await once(message, "close").catch(() => undefined);
  expect(await textOf(first)).toBe("one ");
  expect(await textOf(reads.next())).toBe("two ");
  await expect(reads.next()).rejects.toThrow("reset");
});

test("what came in the same turn as a fault is read before it, also by whoever waits", async () => {
  const message = pushed();
  const reads = messageReads(message);
  const first = reads.next();
  message.push(Buffer.from("one "));
  await first;
  message.push(Buffer.from("two "));
  const second = reads.next();
  message.destroy(new Error("reset"));
  expect(await textOf(second)).toBe("two ");
  await expect(reads.next()).rejects.toThrow("reset");
});

test("texts come as bytes, in their coding, and empty pieces not at all", async () => {
  const message = pushed();
  const reads = messageReads(message);
  const read = reads.next();
  message.push(Buffer.from(""));
  message.push("c3a4", "hex");
  expect(await textOf(read)).toBe("ä");
});

test("somebody who listens for the data of a message hears all of it", async () => {
  const message = pushed();
  let heard = "";
  // As Node's inspector does it: without making the stream flow.
  EventEmitter.prototype.on.call(message, "data", (piece: Buffer) => (heard += piece.toString()));
  const reads = messageReads(message);
  const first = reads.next();
  message.push(Buffer.from("one "));
  expect(await textOf(first)).toBe("one ");
  expect(heard).toBe("one ");
});

test("a whole answer that came in one packet outlives the reset behind it", async () => {
  const server = createServer((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
      setTimeout(() => {
        socket.write(["one\n", "two\n", "end\n"].map((line) => `4\r\n${line}\r\n`).join(""));
        setTimeout(() => socket.resetAndDestroy(), 5);
      }, 20);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const transport = createHttpTransport();
  const lines: string[] = [];
  const read = async (): Promise<void> => {
    for await (const batch of callLines(
      { baseUrl: `http://127.0.0.1:${port}`, fetch: transport },
      { path: "/" },
    )) {
      lines.push(...batch);
      await new Promise((resolve) => void setTimeout(resolve, 40));
    }
  };
  await expect(read()).rejects.toMatchObject({ code: "stream-interrupted" });
  expect(lines).toEqual(["one", "two", "end"]);
  transport.close();
  server.close();
});

test("readers of one web stream get the piece that they asked for, or its fault, also when two ask at once", async () => {
  const fault = new Error("broken off");
  const pieces = ["one", "two", "three"].map((text) => Buffer.from(text));
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces.shift();
        if (piece === undefined) controller.error(fault);
        else controller.enqueue(piece);
      },
    },
    { highWaterMark: 0 },
  );
  const reads = readsOf(new Response(body as unknown as ConstructorParameters<typeof Response>[0]));
  const heard: unknown[] = [];
  const ask = (name: string): Promise<void> =>
    new Promise((resolve) => {
      const hear = (what: unknown): void => resolve(void heard.push([name, what]));
      reads.pull({ onRead: ({ value }) => hear(Buffer.from(value ?? []).toString()), onFault: hear });
    });
  await Promise.all([ask("a"), ask("b")]);
  for (const name of ["a", "b"]) await ask(name);
  expect(heard).toEqual([
    ["a", "one"],
    ["b", "two"],
    ["a", "three"],
    ["b", fault],
  ]);
});
