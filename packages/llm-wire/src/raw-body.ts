import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";

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
export function readsOf(response: Response): AsyncIterator<Uint8Array> {
  const message = raw.get(response);
  if (message !== undefined) return messageReads(message);
  const reader = response.body?.getReader();
  if (reader === undefined) return { next: () => Promise.resolve({ value: undefined, done: true }) };
  return {
    // The reader's own results have the shape of an iterator's; after the end it says so again.
    next: () => reader.read() as Promise<IteratorResult<Uint8Array, undefined>>,
    async return() {
      await reader.cancel();
      return { value: undefined, done: true };
    },
  };
}

/** `read()` joins the HTTP chunks that wait, so that a burst is parsed in one go. */
function messageReads(message: IncomingMessage): AsyncIterator<Uint8Array> {
  /** Reads that wait; more than one where somebody reads ahead. */
  let waiters: (() => void)[] = [];
  let fault: unknown = message.errored ?? undefined;
  let ended = message.readableEnded;
  let closed = message.closed;
  const ring = (): void => {
    const waiting = waiters;
    waiters = [];
    for (const attempt of waiting) attempt();
  };
  message.on("readable", ring);
  message.once("end", () => {
    ended = true;
    ring();
  });
  message.once("error", (error) => {
    fault = error;
    ring();
  });
  message.once("close", () => {
    closed = true;
    ring();
  });

  /** What can be said without waiting. */
  const ready = (): IteratorResult<Uint8Array, undefined> | undefined => {
    if (fault !== undefined) throw fault as Error;
    const piece = message.read() as Uint8Array | null;
    if (piece !== null) return { value: piece, done: false };
    if (ended) return { value: undefined, done: true };
    if (!closed && !message.destroyed) return undefined;
    throw Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" });
  };

  const next = (): Promise<IteratorResult<Uint8Array, undefined>> =>
    new Promise((resolve, reject) => {
      const attempt = (): void => {
        try {
          const read = ready();
          if (read === undefined) waiters.push(attempt);
          else resolve(read);
        } catch (error) {
          reject(error as Error);
        }
      };
      attempt();
    });

  return {
    next,
    async return() {
      if (!ended) message.destroy();
      return { value: undefined, done: true };
    },
  };
}

export function headersOf(headers: Headers, body: Uint8Array | undefined): OutgoingHttpHeaders {
  const plain: OutgoingHttpHeaders = { accept: "*/*" };
  for (const [name, value] of headers) plain[name] = value;
  if (body !== undefined) plain["content-length"] = body.byteLength;
  return plain;
}
