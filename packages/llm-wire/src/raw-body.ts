import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";

import type { Reader } from "@enginehouse/llm-core";

import { END, NOTHING, type Reads, Turns } from "./pulled.ts";

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
  return response.body === null ? NOTHING : new BodyReads(response.body.getReader());
}

/** A class, and one instance kept, for the reason that llm-core's stream.ts gives. */
class BodyReads implements ByteReads {
  static readonly kept = new BodyReads({ read: async () => END, cancel: async () => undefined });
  private readonly body: BodyReader;
  private reader: Reader<Uint8Array> | undefined;
  private onRead!: Reader<Uint8Array>["onRead"];
  private onFault!: Reader<Uint8Array>["onFault"];

  constructor(body: BodyReader) {
    this.body = body;
  }

  pull(reader: Reader<Uint8Array>): void {
    if (reader !== this.reader) {
      this.reader = reader;
      // Bound once: a function in between would be one more for each piece.
      this.onRead = reader.onRead.bind(reader);
      this.onFault = reader.onFault.bind(reader);
    }
    (this.body.read() as Promise<IteratorResult<Uint8Array, undefined>>).then(this.onRead, this.onFault);
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    // Its own results have the shape of an iterator's; after the end it says so again.
    return this.body.read() as Promise<IteratorResult<Uint8Array, undefined>>;
  }

  async return(): Promise<typeof END> {
    await this.body.cancel();
    return END;
  }
}

interface BodyReader {
  read(): Promise<unknown>;
  cancel(): Promise<void>;
}

export function messageReads(message: IncomingMessage): ByteReads {
  const reads = new MessageReads(message);
  reads.listen();
  return reads;
}

/** A class, and one instance kept, for the reason that llm-core's stream.ts gives. */
class MessageReads implements ByteReads {
  static readonly kept = new MessageReads({} as IncomingMessage);
  private readonly message: IncomingMessage;
  private turns: Turns<Uint8Array> | undefined;
  private asking: Reader<Uint8Array> | undefined;
  private fault: unknown;
  private ended: boolean;
  private closed: boolean;
  /** Whether bytes may lie there. A read that leaves none asks for the next `readable` by itself. */
  private filled: boolean;

  constructor(message: IncomingMessage) {
    this.message = message;
    this.fault = message.errored ?? undefined;
    this.ended = message.readableEnded;
    this.closed = message.closed;
    this.filled = this.fault === undefined;
  }

  listen(): void {
    const { message } = this;
    // Who listens for `data`, such as Node's own inspector, hears of nothing but what is read.
    if (message.listenerCount("data") === 0) this.goAround(message);
    message.on("readable", () => {
      this.filled = true;
      this.answer();
    });
    message.once("end", () => {
      this.ended = true;
      this.answer();
    });
    message.once("error", (error) => {
      this.fault = error;
      // What came before it may still be read.
      this.filled = true;
      this.answer();
    });
    message.once("close", () => {
      this.closed = true;
      this.filled = true;
      this.answer();
    });
  }

  /** A piece that somebody waits for goes past the message's own buffer (docs/decisions/0015-classes-in-the-stream-path.md). */
  private goAround(message: IncomingMessage): void {
    const push = message.push.bind(message);
    message.push = (piece: unknown, coding?: BufferEncoding): boolean => {
      const reader = this.asking;
      const waits = reader !== undefined && message.readableLength === 0 && !message.destroyed;
      if (!waits || !(piece instanceof Uint8Array) || piece.length === 0) return push(piece, coding);
      this.asking = undefined;
      reader.onRead({ value: piece, done: false });
      return true;
    };
  }

  pull(reader: Reader<Uint8Array>): void {
    this.asking = reader;
    this.answer();
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return (this.turns ??= new Turns(this)).next();
  }

  async return(): Promise<typeof END> {
    if (!this.ended) this.message.destroy();
    return END;
  }

  private answer(): void {
    const { asking: reader } = this;
    if (reader === undefined) return;
    const piece = this.filled ? this.take() : null;
    if (piece !== null) {
      this.asking = undefined;
      return reader.onRead({ value: piece, done: false });
    }
    // A message that was destroyed says so by its `close`.
    if (this.fault === undefined && !this.ended && !this.closed) return;
    this.asking = undefined;
    if (this.fault !== undefined) reader.onFault(this.fault);
    else if (this.ended) reader.onRead(END);
    else reader.onFault(Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" }));
  }

  /** All that waits, so that a burst is parsed in one go: `read()` gives it up to Node 24, one HTTP chunk in Node 26. */
  private take(): Uint8Array | null {
    const { message } = this;
    const first = message.read() as Buffer | null;
    let left = message.readableLength;
    this.filled = false;
    if (first === null || left === 0) return first;
    const parts = [first];
    while (left > 0) {
      const part = message.read() as Buffer | null;
      if (part === null) break;
      parts.push(part);
      left -= part.length;
    }
    this.filled = left > 0;
    return Buffer.concat(parts);
  }
}

export function headersOf(
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array | undefined,
): OutgoingHttpHeaders {
  // Without a word about it a reply may be compressed in any way.
  const plain: OutgoingHttpHeaders = { accept: "*/*", "accept-encoding": "identity", ...headers };
  if (body !== undefined) plain["content-length"] = Buffer.byteLength(body);
  return plain;
}
