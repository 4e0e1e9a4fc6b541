import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";

import type { Reader } from "@enginehouse/llm-core";

import { END, pulled, type Reads } from "./pulled.ts";

/** Bytes, one piece for each demand. Returning closes the connection unless they were read to their end. */
export type ByteReads = Reads<Uint8Array>;

const raw = new WeakMap<Response, IncomingMessage>();

/** A `Response` over the message. Its web stream is there for whoever wants one; `readsOf` goes around it. */
export function keepRaw(message: IncomingMessage, init: ResponseInit): Response {
  let reads: AsyncIterator<Uint8Array> | undefined;
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const read = await (reads ??= messageReads(message)).next();
        if (read.done === true) controller.close();
        else controller.enqueue(read.value);
      },
      cancel: () => void message.destroy(),
    },
    { highWaterMark: 0 },
  );
  const response = new Response(stream as unknown as ConstructorParameters<typeof Response>[0], init);
  raw.set(response, message);
  return response;
}

/** The body, one piece of bytes for each demand. Returning closes the connection unless the body was read to its end. */
export function readsOf(response: Response): ByteReads {
  const message = raw.get(response);
  if (message !== undefined) return messageReads(message);
  const body = response.body?.getReader();
  if (body === undefined)
    return pulled<Uint8Array>(
      ({ onRead }) => onRead(END),
      async () => undefined,
    );
  // Its own results have the shape of an iterator's; after the end it says so again.
  const read = body.read.bind(body) as () => Promise<IteratorResult<Uint8Array, undefined>>;
  return {
    next: read,
    pull: ({ onRead, onFault }) => void read().then(onRead, onFault),
    async return() {
      await body.cancel();
      return END;
    },
  };
}

/** All that waits, so that a burst is parsed in one go: `read()` gives all of it up to Node 24, one HTTP chunk in Node 26. */
function readWaiting(message: IncomingMessage): Uint8Array | null {
  const first = message.read() as Buffer | null;
  if (first === null || message.readableLength === 0) return first;
  const parts = [first];
  for (let left = message.readableLength; left > 0;) {
    const part = message.read() as Buffer | null;
    if (part === null) break;
    parts.push(part);
    left -= part.length;
  }
  return Buffer.concat(parts);
}

export function messageReads(message: IncomingMessage): ByteReads {
  let asking: Reader<Uint8Array> | undefined;
  let fault: unknown = message.errored ?? undefined;
  let ended = message.readableEnded;
  let closed = message.closed;
  /** Whether bytes may lie there. A read that leaves none asks for the next `readable` by itself. */
  let filled = true;

  const answer = (): void => {
    const reader = asking;
    if (reader === undefined) return;
    const piece = filled && fault === undefined ? readWaiting(message) : null;
    filled = message.readableLength > 0;
    if (piece === null && fault === undefined && !ended && !closed && !message.destroyed) return;
    asking = undefined;
    if (fault !== undefined) reader.onFault(fault);
    else if (piece !== null) reader.onRead({ value: piece, done: false });
    else if (ended) reader.onRead(END);
    else reader.onFault(Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" }));
  };

  message.on("readable", () => {
    filled = true;
    answer();
  });
  message.once("end", () => {
    ended = true;
    answer();
  });
  message.once("error", (error) => {
    fault = error;
    answer();
  });
  message.once("close", () => {
    closed = true;
    // What came before the close may still be read.
    filled = true;
    answer();
  });

  return pulled<Uint8Array>(
    (reader) => {
      asking = reader;
      answer();
    },
    async () => {
      if (!ended) message.destroy();
    },
  );
}

export function headersOf(headers: Headers, body: Uint8Array | undefined): OutgoingHttpHeaders {
  // Without a word about it a reply may be compressed in any way.
  const plain: OutgoingHttpHeaders = { accept: "*/*", "accept-encoding": "identity" };
  for (const [name, value] of headers) plain[name] = value;
  if (body !== undefined) plain["content-length"] = body.byteLength;
  return plain;
}
