import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import { createOllama, type OllamaProvider, type OllamaSettings } from "../src/index.ts";

const FIXTURES = new URL("../../../apps/conformance/fixtures/", import.meta.url);

/** One recorded reply of a real server. */
export interface Recording {
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly chunks: readonly { readonly ms: number; readonly data: string; readonly encoding?: "base64" }[];
  };
}

/** `chat-stream` of the new server, `ollama-0.13/chat-stream` of the one before it. */
export function recording(name: string): Recording {
  const path = name.includes("/") ? name : `ollama/${name}`;
  return JSON.parse(readFileSync(new URL(`${path}.json`, FIXTURES), "utf8")) as Recording;
}

export const linesOf = (name: string): string[] =>
  recording(name)
    .response.chunks.map(({ data }) => data)
    .join("")
    .split("\n")
    .filter((line) => line !== "");

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies of many shapes
  readonly body: any;
}

export type Handler = (request: Asked, response: ServerResponse, count: number) => unknown;

/** By `POST /api/chat`: the name of a recording, one for each request in turn, or a function. */
export type Routes = Readonly<Record<string, string | readonly string[] | Handler>>;

export interface TestServer {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** Requests of one route. */
  of(path: string): readonly Asked[];
  openSockets(): number;
  /** Settles when a client closed a reply that was not whole. */
  left(path: string): Promise<number>;
  close(): Promise<void>;
}

/** A server that says what real ones said: these are contract tests of the wire's protocol. */
export async function startServer(routes: Routes): Promise<TestServer> {
  const asked: Asked[] = [];
  const counts = new Map<string, number>();
  const sockets = new Set<Socket>();
  const leavers = new Map<string, ((at: number) => void)[]>();
  const all: Routes = {
    "GET /api/version": "version",
    "GET /api/ps": "ps-loaded",
    "POST /api/show": "show",
    ...routes,
  };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    request.on("end", () => {
      const text = Buffer.concat(parts).toString();
      const { method = "", url = "", headers } = request;
      const route = `${method} ${url}`;
      const mine: Asked = { method, path: url, headers, body: parsed(text) };
      asked.push(mine);
      response.on("close", () => {
        if (response.writableFinished) return;
        for (const tell of leavers.get(url) ?? []) tell(performance.now());
      });
      const count = counts.get(route) ?? 0;
      counts.set(route, count + 1);
      const answer = all[route];
      if (answer === undefined) response.writeHead(404).end("404 page not found");
      else if (typeof answer === "function") answer(mine, response, count);
      else
        replay(
          typeof answer === "string" ? answer : (answer[Math.min(count, answer.length - 1)] ?? ""),
          response,
        );
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    of: (path) => asked.filter((one) => one.path === path),
    openSockets: () => sockets.size,
    left: (path) => new Promise((resolve) => leavers.set(path, [...(leavers.get(path) ?? []), resolve])),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Chunk by chunk, without the pauses. */
export function replay(name: string, response: ServerResponse): void {
  const { status, chunks, headers } = recording(name).response;
  const type = headers["content-type"];
  response.writeHead(status, type === undefined ? {} : { "content-type": type });
  for (const { data, encoding } of chunks) response.write(Buffer.from(data, encoding ?? "utf8"));
  response.end();
}

/** Lines of our own, where no real server can be made to say them. */
export function say(response: ServerResponse, lines: readonly unknown[], status = 200): void {
  response.writeHead(status, { "content-type": "application/x-ndjson" });
  for (const line of lines) response.write(`${typeof line === "string" ? line : JSON.stringify(line)}\n`);
  response.end();
}

export const piece = (content: string): unknown => ({ message: { role: "assistant", content }, done: false });
export const end = (more: object = {}): unknown => ({
  message: { role: "assistant", content: "" },
  done: true,
  done_reason: "stop",
  prompt_eval_count: 5,
  eval_count: 2,
  ...more,
});

export interface Setup extends AsyncDisposable {
  readonly server: TestServer;
  readonly ollama: OllamaProvider;
}

export async function setUp(routes: Routes, settings: OllamaSettings = {}): Promise<Setup> {
  const server = await startServer(routes);
  const ollama = createOllama({ baseUrl: server.url, ...settings });
  return {
    server,
    ollama,
    async [Symbol.asyncDispose]() {
      await ollama.close();
      await server.close();
    },
  };
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
