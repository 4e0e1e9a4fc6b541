import { type ChatEvent, type EventBatch, LlmError, type Pullable } from "@enginehouse/llm-core";
import { afterEach, describe, expect, test } from "vitest";

import {
  createHttpTransport,
  type EventDecoder,
  type FetchLike,
  type HttpTransport,
  streamLines,
} from "../src/index.ts";
import { type Handler, serve, sleep, type Watched, within } from "./server.ts";

const servers: Watched[] = [];
const transports: HttpTransport[] = [];

afterEach(async () => {
  for (const transport of transports.splice(0)) transport.close();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

const busy = (ms: number): void => {
  for (const until = performance.now() + ms; performance.now() < until;);
};

const start: ChatEvent = { type: "start", model: "m", warnings: [] };
const word = (text: string): ChatEvent => ({ type: "text-delta", id: "1", text });

/** A line is `{"say": "…"}`, `{"fail": "…"}`, or `{"end": true}`. */
function decoding(own: Partial<EventDecoder<string>> = {}): EventDecoder<string> {
  let fault: LlmError | undefined;
  let ended = false;
  const take = (line: string): ChatEvent[] => {
    const { say, fail, end } = JSON.parse(line) as { say?: string; fail?: string; end?: true };
    ended ||= end === true;
    if (fail !== undefined) fault = new LlmError("provider-internal", fail);
    return say === undefined ? [] : [word(say)];
  };
  return {
    start: () => [start],
    add: (lines) => lines.flatMap(take),
    finish() {
      if (fault !== undefined) throw fault;
      if (!ended) throw new LlmError("stream-interrupted", "no end");
      return [];
    },
    fault: () => fault,
    ...own,
  };
}

async function drain(stream: Pullable<EventBatch>): Promise<{ texts: string[]; fault: unknown }> {
  const texts: string[] = [];
  try {
    for (;;) {
      const read = await within(2_000, stream.next(), "a read");
      if (read.done === true) return { texts, fault: undefined };
      texts.push(...read.value.flatMap((event) => (event.type === "text-delta" ? [event.text] : [])));
    }
  } catch (fault) {
    return { texts, fault };
  }
}

describe.each<[string, () => FetchLike]>([
  [
    "node:http",
    () => {
      const transport = createHttpTransport();
      transports.push(transport);
      return transport;
    },
  ],
  ["fetch", () => fetch],
])("over %s", (_, fetchLike) => {
  async function stream(handler: Handler, decoder = decoding()): Promise<Pullable<EventBatch>> {
    const server = await serve(handler);
    servers.push(server);
    return streamLines({ baseUrl: server.url, fetch: fetchLike() }, { path: "/" }, decoder);
  }

  test("a whole last line without its end is heard, also where the answer broke off behind it", async () => {
    const answer = await stream((_request, response) => response.end('{"say":"a"}\n{"say":"b"}'));
    expect(await drain(answer)).toMatchObject({ texts: ["a", "b"], fault: { code: "stream-interrupted" } });
    expect(await answer.next()).toEqual({ value: undefined, done: true });
  });

  test("an error in such a line comes behind what the line said, as itself", async () => {
    const answer = await stream((_request, response) => response.end('{"say":"a","fail":"out of paper"}'));
    expect(await drain(answer)).toMatchObject({
      texts: ["a"],
      fault: { code: "provider-internal", message: "out of paper" },
    });
  });

  test("a whole last line that makes no sense is not one that was cut off", async () => {
    const senseless = decoding({
      add: () => {
        throw new LlmError("invalid-response", "a word that is a number");
      },
    });
    const whole = await stream((_request, response) => response.end('{"say":5}'), senseless);
    expect(await drain(whole)).toMatchObject({ fault: { code: "invalid-response" } });
    const cut = await stream((_request, response) => response.end('{"say":'), senseless);
    expect(await drain(cut)).toMatchObject({ fault: { code: "stream-interrupted" } });
  });

  test("an error without events before it does not wait for another sign of the backend", async () => {
    const answer = await stream((_request, response) => void response.write('{"fail":"out of paper"}\n'));
    expect(await drain(answer)).toMatchObject({ fault: { message: "out of paper" } });
  });

  test.each(["reset", "closed"] as const)(
    "a connection that is %s behind the headers is no fault of HTTP",
    async (how) => {
      const answer = await stream((_request, response) => {
        response.writeHead(200, { connection: "close" }).flushHeaders();
        setTimeout(() => {
          if (how === "reset") response.socket?.resetAndDestroy();
          else response.socket?.end();
        }, 20);
      });
      expect(await drain(answer)).toMatchObject({
        fault: { code: "unavailable", phase: "request", retryable: true },
      });
    },
  );

  test("a process that was busy for longer than a deadline hears what came meanwhile", async () => {
    const server = await serve((_request, response) => {
      response.end('{"say":"a"}\n{"end":true}\n');
      busy(400);
    });
    servers.push(server);
    const timeouts = { connect: 200, firstEvent: 200, idle: 200 };
    const endpoint = { baseUrl: server.url, fetch: fetchLike() };
    const answer = streamLines(endpoint, { path: "/", timeouts }, decoding());
    expect(await drain(answer)).toEqual({ texts: ["a"], fault: undefined });
  });

  test("a process that is busy all the time still tells a silent backend", async () => {
    const work = setInterval(() => busy(60), 1);
    try {
      const server = await serve(() => undefined);
      servers.push(server);
      const endpoint = { baseUrl: server.url, fetch: fetchLike() };
      const answer = streamLines(endpoint, { path: "/", timeouts: { firstEvent: 200 } }, decoding());
      expect(await drain(answer)).toMatchObject({ fault: { code: "timeout" } });
    } finally {
      clearInterval(work);
    }
  });

  test("a decoder that cannot begin is a fault, once, and no read hangs", async () => {
    const broken = decoding({
      start: () => {
        throw new Error("a bug");
      },
    });
    const answer = await stream((_request, response) => response.end('{"end":true}\n'), broken);
    const reads = [answer.next(), answer.next()].map((read) => within(2_000, read, "a read"));
    const [first, second] = await Promise.allSettled(reads);
    expect(first).toMatchObject({ status: "rejected", reason: { message: "a bug" } });
    expect(second).toMatchObject({ status: "fulfilled", value: { done: true } });
  });
});

test("an answer that comes to one who has left is let go, also by a fetch that knows no signal", async () => {
  let dropped = false;
  let answered = (): void => undefined;
  const deaf: FetchLike = () =>
    new Promise((resolve) => {
      const body = new ReadableStream<Uint8Array>({
        cancel() {
          dropped = true;
        },
      });
      answered = () => resolve(new Response(body));
    });
  const answer = streamLines({ baseUrl: "http://127.0.0.1", fetch: deaf }, { path: "/" }, decoding());
  await answer.next();
  const reading = answer.next();
  await sleep(5);
  await answer.return?.();
  answered();
  expect(await within(2_000, reading, "the read")).toEqual({ value: undefined, done: true });
  expect(dropped).toBe(true);
});

test("a body that somebody else reads already is a fault, and no read hangs", async () => {
  const locking: FetchLike = async () => {
    const response = new Response("one");
    response.body?.getReader();
    return response;
  };
  const answer = streamLines({ baseUrl: "http://127.0.0.1", fetch: locking }, { path: "/" }, decoding());
  await answer.next();
  await expect(within(2_000, answer.next(), "the read")).rejects.toThrow("locked");
});

test("leaving does not wait for a second reader of the body, and ends a read under way", async () => {
  const server = await serve((_request, response) => void response.write('{"say":"a"}\n'));
  servers.push(server);
  // A fetch that keeps a copy of each reply for itself: to cancel one half is to wait for the other.
  const copies: Response[] = [];
  const copying: FetchLike = async (input, init) => {
    const response = await fetch(input, init);
    copies.push(response.clone());
    return response;
  };
  const answer = streamLines({ baseUrl: server.url, fetch: copying }, { path: "/" }, decoding());
  await answer.next();
  await answer.next();
  const reading = answer.next();
  await within(1_000, Promise.resolve(answer.return?.()), "leaving");
  expect(await within(1_000, reading, "the read")).toEqual({ value: undefined, done: true });
  await within(1_000, server.closed(), "the server sees the close");
});

test.each(["", "127.0.0.1:8080", "ftp://127.0.0.1"])(
  "an address that is none, as %j, is a fault and no read that hangs",
  async (baseUrl) => {
    const answer = streamLines({ baseUrl, fetch }, { path: "/" }, decoding());
    await answer.next();
    await expect(within(1_000, answer.next(), "the read")).rejects.toMatchObject({
      code: "invalid-settings",
    });
    expect(await answer.next()).toEqual({ value: undefined, done: true });
  },
);
