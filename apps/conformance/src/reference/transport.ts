import type { Agent, IncomingMessage } from "node:http";

import type { Clock } from "./clock.ts";

export interface Connections {
  send(call: WireCall, clock: Clock): Promise<IncomingMessage>;
  close(): void;
}

export interface WireCall {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** Requests over node:http, which has no limits of its own. */
export function createConnections(): Connections {
  let agent: Agent | undefined;
  return {
    async send({ url, method, headers, body }, clock) {
      const { Agent, request } = await import("node:http");
      const { signal } = clock;
      signal.throwIfAborted();
      agent ??= new Agent({ keepAlive: true });
      return new Promise((resolve, reject) => {
        const outgoing = request(url, { method, headers, agent }, (reply) => {
          // A reply that is destroyed unread must not become an uncaught error.
          reply.on("error", () => undefined);
          resolve(reply);
        });
        const stop = (): void => {
          outgoing.destroy();
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", stop, { once: true });
        outgoing.on("close", () => signal.removeEventListener("abort", stop));
        outgoing.on("error", reject);
        outgoing.on("socket", (socket) => {
          if (socket.connecting) socket.once("connect", () => clock.connected());
          else clock.connected();
        });
        outgoing.end(body);
      });
    },
    close() {
      agent?.destroy();
      agent = undefined;
    },
  };
}
