import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { Socket } from "node:net";

import type { ModelTask } from "@enginehouse/llm-core";

import type { Backend, FakeBackend } from "../backend.ts";
import type { ModelScript, Scenario } from "../scenario.ts";
import { createHouse } from "./house.ts";
import { serve } from "./http-exchange.ts";
import type { HttpWire } from "./http-exchange.ts";
import { createWitness } from "./witness.ts";

export { hasBearer } from "./http-exchange.ts";
export type { Exchange, HttpWire, RequestHead } from "./http-exchange.ts";

/** A backend that speaks the wire over HTTP on a port of its own. */
export const httpFake = (wire: HttpWire): FakeBackend => ({
  wire: wire.wire,
  cannot: wire.cannot,
  start: (scenario) => start(wire, scenario),
});

const start = async (wire: HttpWire, scenario: Scenario): Promise<Backend> => {
  const nameOf = wire.nameOf ?? ((id: string): string => id);
  const house = createHouse(scenario, nameOf);
  const witness = createWitness(() => house.loaded);
  const closing = new AbortController();
  const server = createServer({ requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
    void serve({ wire, scenario, house, witness, closing: closing.signal }, request, response);
  });
  server.on("connection", (socket: Socket) => {
    socket.setNoDelay(true);
    socket.once("close", witness.connected());
  });
  const address = await listen(server, scenario.port);
  if (scenario.down === true) await close(server);

  return {
    address,
    key: scenario.key,
    models: namesOf(scenario.models === undefined ? house.models : scenario.models, nameOf),
    seen: witness.seen,
    async close() {
      closing.abort();
      if (server.listening) await close(server);
    },
  };
};

/** The first model for each task. */
export const namesOf = (
  models: readonly ModelScript[],
  nameOf: (id: string) => string,
): Backend["models"] => {
  const first = (task: ModelTask): string => {
    const model =
      models.find((one) => one.task === task && one.installed !== false) ??
      models.find((one) => one.task === task);
    return model === undefined ? "" : nameOf(model.id);
  };
  return { chat: first("chat"), embedding: first("embedding"), rerank: first("rerank") };
};

export const listen = async (server: Server, port = 0): Promise<string> => {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the fake has no port");
  return `http://127.0.0.1:${address.port}`;
};

export const close = async (server: Server): Promise<void> => {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
};
