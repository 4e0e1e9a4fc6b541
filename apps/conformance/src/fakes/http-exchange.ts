import type { IncomingMessage, ServerResponse } from "node:http";

import type { JsonObject } from "@enginehouse/llm-core";

import type { Asked, FakeBackend, Seen, SeenRequest } from "../backend.ts";
import type { Refusal, Scenario, WireForm } from "../scenario.ts";
import { createPieceWriter } from "./framing.ts";
import type { Framing, PieceWriter, Sink } from "./framing.ts";
import type { House } from "./house.ts";
import { jsonOf } from "./reading.ts";
import { wait } from "./waiting.ts";
import type { Witness } from "./witness.ts";

/** What is particular to one HTTP wire. The rest, from counting sockets to cutting bytes, is done here for all. */
export interface HttpWire {
  readonly wire: string;
  readonly cannot: FakeBackend["cannot"];
  /** What a request is and asks for, before anybody answers it. */
  read(request: RequestHead): { readonly operation: SeenRequest["operation"]; readonly asked: Asked };
  /** The wire's own words for a refusal. */
  refuse(refusal: Refusal, exchange: Exchange): JsonObject | string;
  answer(exchange: Exchange): Promise<void>;
  /** Default: every request needs the key, as a bearer token. */
  admits?(exchange: Exchange, key: string): boolean;
  /** The wire's name for a scenario's model. Default the same. */
  nameOf?(id: string): string;
}

export interface RequestHead {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** What the body says, where it is JSON. */
  readonly body: unknown;
  readonly text: string;
}

/** One request and its reply. Everything that waits rejects when the client has gone. */
export interface Exchange extends RequestHead {
  readonly bytes: Buffer;
  readonly asked: Asked;
  readonly house: House;
  readonly seen: Seen;
  readonly gone: AbortSignal;
  send(status: number, body?: JsonObject | string, headers?: Readonly<Record<string, string>>): Promise<void>;
  refuse(refusal: Refusal): Promise<void>;
  /** Opens a reply whose bytes come one after another. */
  open(status: number, headers: Readonly<Record<string, string>>): Sink & { begin(): void };
  /** Opens a reply that comes in pieces. Its headers go out with the first of them, or at once. */
  pieces(framing: Framing, form?: WireForm, headers?: "with-first" | "at-once"): PieceWriter;
  /** Runs a generation: waits for a free place, and is counted while it runs. */
  generate<Result>(run: () => Promise<Result>): Promise<Result>;
  /** `reset`: the connection breaks · `close`: it ends in the middle of the body. */
  cut(how: "reset" | "close"): void;
}

/** Where a request arrives. */
export interface Room {
  readonly wire: HttpWire;
  readonly scenario: Scenario;
  readonly house: House;
  readonly witness: Witness;
  readonly closing: AbortSignal;
}

/** One request, from its arrival to the end of its reply. */
export const serve = async (
  room: Room,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const { wire, scenario, witness } = room;
  const left = new AbortController();
  let note: ReturnType<Witness["arrived"]> | undefined;
  let ours = false;
  response.once("finish", () => note?.answered());
  response.once("close", () => {
    if (!response.writableFinished && !ours && !room.closing.aborted) note?.left();
    left.abort();
  });
  response.on("error", () => undefined);
  request.on("error", () => undefined);

  const bytes = await bodyOf(request).catch(() => undefined);
  if (bytes === undefined) return;
  const head = headOf(request, bytes);
  const { operation, asked } = wire.read(head);
  note = witness.arrived({
    operation,
    method: head.method,
    path: request.url ?? "/",
    headers: head.headers,
    body: head.body ?? head.text,
    asked,
  });
  if (left.signal.aborted) note.left();

  const gone = AbortSignal.any([left.signal, room.closing]);
  const exchange = exchangeOf(room, head, bytes, asked, response, gone, note, () => {
    ours = true;
  });
  try {
    if (scenario.silent === true) await wait("never", gone);
    else if (scenario.refusesAll !== undefined) await exchange.refuse(scenario.refusesAll);
    else if (!admitted(wire, exchange, scenario.key)) await exchange.refuse({ status: 401 });
    else await wire.answer(exchange);
  } catch (error) {
    if (gone.aborted) return;
    const says = `the ${wire.wire} fake failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    if (response.headersSent) response.destroy();
    else response.writeHead(599, { "content-type": "text/plain" }).end(says);
  }
};

const admitted = (wire: HttpWire, exchange: Exchange, key: string | undefined): boolean =>
  key === undefined || (wire.admits ?? hasBearer)(exchange, key);

export const hasBearer = (exchange: RequestHead, key: string): boolean =>
  exchange.headers["authorization"] === `Bearer ${key}`;

const exchangeOf = (
  room: Room,
  head: RequestHead,
  bytes: Buffer,
  asked: Asked,
  response: ServerResponse,
  gone: AbortSignal,
  note: ReturnType<Witness["arrived"]>,
  cutting: () => void,
): Exchange => {
  const exchange: Exchange = {
    ...head,
    bytes,
    asked,
    house: room.house,
    seen: room.witness.seen,
    gone,
    async send(status, body, headers = {}) {
      const text = typeof body === "object" ? JSON.stringify(body) : (body ?? "");
      const type = typeof body === "string" ? "text/plain; charset=utf-8" : "application/json; charset=utf-8";
      response.writeHead(status, { ...(body === undefined ? {} : { "content-type": type }), ...headers });
      await settled((done) => response.end(text, done), gone);
      note.sent(Buffer.byteLength(text));
    },
    async refuse(refusal) {
      const patience = refusal.retryAfterSeconds;
      const headers: Record<string, string> =
        patience === undefined ? {} : { "retry-after": String(patience) };
      const body = refusal.body ?? "own";
      if (body === "html") {
        headers["content-type"] = "text/html; charset=utf-8";
        await exchange.send(refusal.status, htmlPage(refusal), headers);
      } else if (body === "empty") await exchange.send(refusal.status, undefined, headers);
      else if (body === "own")
        await exchange.send(refusal.status, room.wire.refuse(refusal, exchange), headers);
      else await exchange.send(refusal.status, body.text, headers);
    },
    open(status, headers) {
      const begin = (): void => {
        if (!response.headersSent) response.writeHead(status, { ...headers });
      };
      return {
        begin() {
          begin();
          response.flushHeaders();
        },
        async write(chunk) {
          begin();
          await settled((done) => response.write(chunk, done), gone);
          note.sent(chunk.length);
        },
        async end(chunk) {
          begin();
          await settled((done) => response.end(chunk, done), gone);
          note.sent(chunk.length);
        },
      };
    },
    pieces(framing, form, headers = "at-once") {
      const sink = exchange.open(200, { "content-type": framing.contentType });
      if (headers === "at-once") sink.begin();
      return createPieceWriter(sink, framing, form);
    },
    async generate(run) {
      const leave = await room.house.enter(gone);
      const over = room.witness.generates();
      try {
        return await run();
      } finally {
        over();
        leave();
      }
    },
    cut(how) {
      cutting();
      const { socket } = response;
      if (socket === null) return;
      if (how === "reset") socket.resetAndDestroy();
      else {
        if (!response.headersSent) response.writeHead(200);
        response.flushHeaders();
        socket.end(() => socket.destroy());
      }
    },
  };
  return exchange;
};

const settled = async (
  run: (done: (error?: Error | null) => void) => void,
  gone: AbortSignal,
): Promise<void> => {
  gone.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const giveUp = (): void => reject(new Error("the client has gone"));
    gone.addEventListener("abort", giveUp, { once: true });
    run((error) => {
      gone.removeEventListener("abort", giveUp);
      if (error === undefined || error === null) resolve();
      else reject(error);
    });
  });
};

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const headOf = (request: IncomingMessage, bytes: Buffer): RequestHead => {
  const url = new URL(request.url ?? "/", "http://fake.invalid");
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  const text = bytes.length > 8_000_000 ? "" : bytes.toString("utf8");
  return {
    method: request.method ?? "GET",
    path: decodeURI(url.pathname),
    query: url.searchParams,
    headers,
    body: jsonOf(text),
    text,
  };
};

const htmlPage = (refusal: Refusal): string =>
  `<!doctype html><html><head><title>${refusal.status}</title></head><body><h1>${refusal.message ?? "Something is wrong"}</h1><p>proxy</p></body></html>`;
