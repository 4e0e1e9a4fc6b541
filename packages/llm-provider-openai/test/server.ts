import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { ChatRequest } from "@enginehouse/llm-core";

import { createOpenai, type OpenaiProvider, type OpenaiSettings } from "../src/index.ts";

export const REQUEST: ChatRequest = { model: "m", messages: [{ role: "user", content: "Hi" }] };

export interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export type Answer = (response: ServerResponse, asked: Asked, count: number) => void;

/** A protocol contract test: a server on loopback that answers as it is told, and a provider in front of it. */
export async function setUp(answer: Answer, settings: OpenaiSettings = {}) {
  const asked: Asked[] = [];
  const lefts: (() => void)[] = [];
  const sockets = new Set<unknown>();
  let count = 0;
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (piece: string) => (text += piece));
    request.on("end", () => {
      const one = {
        path: request.url ?? "",
        headers: request.headers,
        body: text === "" ? undefined : (JSON.parse(text) as unknown),
      };
      asked.push(one);
      answer(response, one, (count += 1));
    });
    response.on("close", () => {
      if (!response.writableFinished) lefts.forEach((left) => left());
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: OpenaiProvider = createOpenai({ baseUrl: address, ...settings });
  return {
    address,
    asked,
    provider,
    openSockets: () => sockets.size,
    /** When a client leaves before its answer is whole. */
    left: (): Promise<number> => new Promise((resolve) => lefts.push(() => resolve(performance.now()))),
    async [Symbol.asyncDispose]() {
      await provider.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
export const piece = (content: string): string => event({ choices: [{ index: 0, delta: { content } }] });
export const ENDING = `${event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}data: [DONE]\n\n`;

/** A whole stream. */
export function streamOf(response: ServerResponse, body: string): void {
  response.writeHead(200, { "content-type": "text/event-stream" }).end(body);
}
