/** Files on their way in: streamed, bounded while they come, and their names never taken for paths. */
import type { IncomingMessage } from "node:http";
import { PassThrough, Readable } from "node:stream";

import { Busboy, type BusboyHeaders } from "@fastify/busboy";
import type { Context } from "hono";

import { fault, toProblem } from "./problem.ts";
import type { Problem } from "./schemas.ts";

export interface UploadedFile {
  readonly name: string;
  readonly mediaType: string | undefined;
  readonly content: AsyncIterable<Uint8Array>;
}

/** Files of one multipart upload. */
export const MAX_FILES = 200;
const LIMITS = { files: MAX_FILES, fields: 20, fieldSize: 10_000, parts: MAX_FILES + 20, headerPairs: 100 };

/** The request's bytes as they come. Leaving the loop early keeps the connection, so that the refusal can be read. */
export function bodyOf(context: Context): AsyncIterable<Uint8Array> {
  const incoming = incomingOf(context);
  if (incoming !== undefined) return incoming.iterator({ destroyOnReturn: false });
  const { body } = context.req.raw;
  return body === null ? Readable.from([]) : Readable.fromWeb(body as never);
}

/**
 * Hands each file of a multipart body to `take`, one after the other, while it streams. A file that is refused is
 * read past, and the next one gets its turn. Rejects when the body itself is broken.
 */
export async function readMultipart(
  context: Context,
  take: (file: UploadedFile) => Promise<void>,
  refuse: (name: string, problem: Problem) => void,
): Promise<void> {
  const parser = openParser(context);
  let turn: Promise<void> = Promise.resolve();
  let current: PassThrough | undefined;
  let surplus = false;
  let failure: Error | undefined;
  parser.on("filesLimit", () => {
    surplus = true;
  });
  let wake: () => void = () => undefined;
  parser.on("error", (error: Error) => {
    failure = error;
    wake();
  });
  parser.on("drain", () => wake());
  parser.on("finish", () => wake());
  const change = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  parser.on("file", (_field, stream, filename, _encoding, mediaType) => {
    const name = filename === "" ? "document" : filename;
    const known = mediaType === "application/octet-stream" ? undefined : mediaType;
    // The parser waits while this is full: one file is on its way, and little of it in memory.
    const content = stream.pipe(new PassThrough());
    current = content;
    // Whoever reads it hears of the error; where nobody does, the body's own failure tells the same.
    content.on("error", () => undefined);
    stream.on("error", (error: Error) => content.destroy(error));
    turn = turn.then(async () => {
      try {
        await take({ name, mediaType: known, content });
      } catch (error) {
        refuse(name, toProblem(error));
        stream.unpipe(content);
        stream.resume();
      }
    });
  });
  try {
    for await (const piece of bodyOf(context)) {
      if (failure !== undefined) throw failure;
      if (!parser.write(piece) && failure === undefined) await change();
    }
    parser.end();
    if (!parser.writableFinished && failure === undefined) await change();
    if (failure !== undefined) throw failure;
  } catch (error) {
    current?.destroy(error instanceof Error ? error : undefined);
    await turn;
    throw broken(error);
  }
  await turn;
  if (surplus) {
    throw fault({
      status: 413,
      code: "too-many-files",
      detail: `One upload may have ${MAX_FILES} files; the first ${MAX_FILES} were taken.`,
      hint: "Send the others in a second upload, or add their folder as a source.",
      retryable: false,
    });
  }
}

function openParser(context: Context) {
  const headers = Object.fromEntries(context.req.raw.headers) as BusboyHeaders;
  try {
    return new Busboy({
      headers,
      limits: LIMITS,
      isPartAFile: (_field, _type, filename) => filename !== undefined,
    });
  } catch (error) {
    throw broken(error);
  }
}

function broken(error: unknown): Error {
  const why = error instanceof Error ? error.message : String(error);
  return fault({
    status: 400,
    code: "invalid-request",
    detail: `The upload broke off, or it is no well-formed multipart body (${why}).`,
    hint: "Send it again, and let the client write the content type itself: it names the boundary between the parts.",
    cause: error,
  });
}

/** How much of a refused upload is read past. */
const MAX_DISCARDED = 2_000_000_000;

/** Reads the rest of a request and forgets it: a client that is still sending would else see a broken connection, not the answer. */
export function discardRest(context: Context): void {
  const incoming = incomingOf(context);
  if (incoming === undefined || incoming.readableEnded || incoming.destroyed) return;
  let bytes = 0;
  // Whoever began to read, as a web stream does, would pause it again when its own buffer is full.
  incoming.removeAllListeners("data");
  incoming.on("error", () => undefined);
  incoming.on("data", (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > MAX_DISCARDED) incoming.destroy();
  });
  incoming.resume();
}

/** The client left before its request was whole: whatever failed then is no fault of the service. */
export function brokeOff(context: Context): boolean {
  const incoming = incomingOf(context);
  return incoming !== undefined && incoming.destroyed && !incoming.complete;
}

/** Node's own request; there is none where the application is called without a socket. */
function incomingOf(context: Context): IncomingMessage | undefined {
  const env = context.env as { incoming?: IncomingMessage } | undefined;
  return env?.incoming;
}
