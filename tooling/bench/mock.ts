// A model server that costs nothing: what is measured is the client. The model's name chooses the behaviour:
//   fast-N      N one-token lines, each in its own HTTP chunk, as fast as the socket drains
//   paced-N-MS  one line every MS milliseconds
//   late-N-MS   nothing, not even headers, for MS milliseconds, then like fast-N
// GET /stats tells for each generation how many bytes the socket took and when it closed.
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const dialect = process.argv[2] === "sse" ? "sse" : "ndjson";

interface Generation {
  lines: number;
  bytes: number;
  closedAt: string | undefined;
  finished: boolean;
}
const generations: Generation[] = [];

const now = (): string => String(process.hrtime.bigint()); // one clock for all processes of the machine
const ndjson = (value: object): string => `${JSON.stringify(value)}\n`;
const sse = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (delta: object, finish: string | null, more: object = {}): object => ({
  id: "chatcmpl-mock",
  object: "chat.completion.chunk",
  created: 1_790_000_000,
  model: "mock",
  system_fingerprint: "fp_mock",
  choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  ...more,
});
const message = (content: string): object => ({ role: "assistant", content });
const created_at = "2026-11-21T00:00:00.000000Z";

const line = (text: string): string =>
  dialect === "sse"
    ? sse(chunk({ content: text }, null))
    : ndjson({ model: "mock", created_at, message: message(text), done: false });

const tail = (count: number): string =>
  dialect === "sse"
    ? `${sse(chunk({}, "stop", { usage: { prompt_tokens: 10, completion_tokens: count } }))}data: [DONE]\n\n`
    : ndjson({
        model: "mock",
        created_at,
        message: message(""),
        done: true,
        done_reason: "stop",
        prompt_eval_count: 10,
        eval_count: count,
      });

// Framed ahead of time, so that the server is never the bottleneck.
const framed = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
const BLOCK = 400;
const lines = Array.from({ length: BLOCK }, (_, index) =>
  framed(Buffer.from(line(` w${100 + (index % 900)}`))),
);

function burst(response: ServerResponse, count: number, generation: Generation): void {
  response.chunkedEncoding = false; // the blocks are framed already
  let left = count;
  const step = (): void => {
    while (left > 0 && !response.destroyed) {
      const taken = Math.min(left, BLOCK);
      const block = Buffer.concat(lines.slice(0, taken));
      left -= taken;
      generation.lines += taken;
      generation.bytes += block.length;
      if (!response.write(block)) {
        response.once("drain", step);
        return;
      }
    }
    if (response.destroyed) return;
    generation.finished = true;
    response.end(Buffer.concat([framed(Buffer.from(tail(count))), Buffer.from("0\r\n\r\n")]));
  };
  step();
}

function paced(response: ServerResponse, count: number, everyMs: number, generation: Generation): void {
  response.socket?.setNoDelay(true);
  const began = performance.now();
  const send = (): void => {
    // Keeps the average rate when the timer is late.
    const due = Math.min(count, 1 + Math.floor((performance.now() - began) / everyMs));
    while (generation.lines < due && !response.destroyed) {
      const text = line(` ${process.hrtime.bigint()}`);
      generation.lines += 1;
      generation.bytes += text.length;
      response.write(text);
    }
    if (generation.lines < count || response.destroyed) return;
    clearInterval(timer);
    generation.finished = true;
    response.end(tail(count));
  };
  const timer = setInterval(send, everyMs);
  response.on("close", () => clearInterval(timer));
  send();
}

const server = createServer((request, response) => {
  if (request.url === "/stats") {
    response.end(JSON.stringify(generations));
    return;
  }
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const { model } = JSON.parse(Buffer.concat(parts).toString()) as { model: string };
    const [mode, count, ms] = model.split("-").map((part, index) => (index === 0 ? part : Number(part)));
    const generation: Generation = { lines: 0, bytes: 0, closedAt: undefined, finished: false };
    generations.push(generation);
    response.on("close", () => {
      generation.closedAt = now();
    });
    const head = (): void => {
      response.writeHead(200, {
        "content-type": dialect === "sse" ? "text/event-stream" : "application/x-ndjson",
      });
      response.flushHeaders();
    };
    if (mode === "late") {
      setTimeout(() => {
        head();
        burst(response, Number(count), generation);
      }, Number(ms)).unref();
      return;
    }
    head();
    if (mode === "paced") paced(response, Number(count), Number(ms), generation);
    else burst(response, Number(count), generation);
  });
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit(0));
