// The smallest backend and plugin that a run of the kit can be tried on. Each fault of the plugin is one switch.
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

import { type ChatEvent, defineProvider, type Provider } from "@enginehouse/llm-core";

import type { Backend, Check, FakeBackend, Scenario, SeenRequest, Subject } from "../../src/index.ts";

export const smallBackend: FakeBackend = {
  wire: "small",
  cannot: { usage: "it never counts" },
  async start(_scenario: Scenario): Promise<Backend> {
    const requests: SeenRequest[] = [];
    let sockets = 0;
    const server = createServer((incoming, reply) => {
      requests.push(seen(incoming.url ?? ""));
      reply.end("hello");
    });
    server.on("connection", (socket) => {
      sockets += 1;
      socket.once("close", () => (sockets -= 1));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    return {
      address: `http://127.0.0.1:${port}`,
      key: undefined,
      models: { chat: "small-chat", embedding: "small-embed", rerank: "small-rerank" },
      seen: {
        requests,
        get openSockets() {
          return sockets;
        },
        generating: 0,
        mostAtOnce: 0,
        loaded: [],
        until: async () => undefined,
      },
      close: () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    };
  },
};

const seen = (path: string): SeenRequest => ({
  operation: "chat",
  at: 0,
  method: "GET",
  path,
  headers: {},
  body: undefined,
  asked: {},
  leftAt: undefined,
  answeredAt: undefined,
});

export interface Faults {
  readonly keepsSocket?: boolean;
  readonly keepsTimer?: boolean;
  readonly keepsListener?: boolean;
  readonly keepsChild?: boolean;
  readonly forgetsRejection?: boolean;
  readonly throwsLater?: boolean;
  readonly changesRequest?: boolean;
  readonly neverCloses?: boolean;
  /** Without the core around it, which keeps some promises for every plugin. */
  readonly bare?: boolean;
}

export function smallSubject(faults: Faults = {}, more: Partial<Subject> = {}): Subject {
  const create = (settings: { readonly url: string } = { url: "" }): Provider =>
    createSmall(settings.url, faults);
  const plugin = defineProvider({
    id: "small",
    contract: 1,
    features: ["tools"],
    settings: {
      "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as { url: string } }) },
    },
    create,
  });
  return {
    package: new URL("plugin/package.json", import.meta.url),
    plugin: faults.bare === true ? { ...plugin, create } : plugin,
    backend: smallBackend,
    settings: ({ address }) => ({ url: address }),
    ...more,
  };
}

function createSmall(url: string, faults: Faults): Provider {
  const agent = new Agent({ keepAlive: true });
  const get = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const sent = request(url, { agent }, (reply) => {
        reply.setEncoding("utf8");
        let text = "";
        reply.on("data", (piece: string) => (text += piece));
        reply.on("end", () => resolve(text));
      });
      sent.once("error", reject);
      sent.end();
    });
  return {
    name: "small",
    async *stream({ model, messages }, { signal } = {}): AsyncGenerator<ChatEvent> {
      if (faults.keepsTimer === true) setInterval(() => undefined, 60_000).unref();
      if (faults.keepsListener === true) signal?.addEventListener("abort", () => undefined);
      if (faults.forgetsRejection === true) void Promise.reject(new Error("forgotten"));
      if (faults.throwsLater === true) {
        setTimeout(() => {
          throw new Error("thrown later");
        }, 1);
      }
      if (faults.changesRequest === true) (messages as unknown[]).push("more");
      const text = await get();
      yield { type: "start", model, warnings: [] };
      yield { type: "text-start", id: "1" };
      yield { type: "text-delta", id: "1", text };
      yield { type: "text-end", id: "1" };
      yield {
        type: "finish",
        reason: { unified: "stop", raw: undefined },
        usage: { inputTokens: undefined, outputTokens: undefined },
        context: { truncated: "unknown" },
      };
    },
    health: async () => ({ status: "ok" }),
    async close() {
      if (faults.neverCloses === true) await new Promise(() => undefined);
      if (faults.keepsSocket !== true) agent.destroy();
    },
  };
}

/** A check with the words that a test does not care for. */
export const check = (id: string, run: Check["run"], more: Partial<Check> = {}): Check => ({
  id,
  group: "S",
  promise: `Promise ${id} holds.`,
  why: "Because somebody relies on it.",
  fix: "Keep it.",
  run,
  ...more,
});

/** Reads a whole answer. */
export const asks: Check["run"] = async ({ start, saw }) => {
  const { provider, model } = await start();
  const types: string[] = [];
  const signal = new AbortController().signal;
  const messages = [{ role: "user", content: "hi" }] as const;
  for await (const { type } of provider.stream?.({ model, messages: [...messages] }, { signal }) ?? [])
    types.push(type);
  saw(types.join(" "));
};
