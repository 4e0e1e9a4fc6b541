import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import { WebSocketServer } from "ws";

import type { Backend, FakeBackend } from "../../backend.ts";
import type { Scenario } from "../../scenario.ts";
import { createHouse } from "../house.ts";
import { close, listen, namesOf } from "../http-fake.ts";
import { lmstudioWire } from "../wires.ts";
import { createWitness } from "../witness.ts";
import { namespacesOf } from "./endpoints.ts";
import { createShelf } from "./models.ts";
import { serve } from "./serve.ts";

/**
 * LM Studio's WebSocket API: one socket for each namespace, calls and channels on it. It was written from what is
 * known of the protocol and tried with the client that LM Studio publishes, never with the application itself: the
 * titles of its errors, and how it cuts what does not fit, are guesses.
 */
export const lmstudioFake: FakeBackend = {
  ...lmstudioWire,
  start: (scenario) => start(scenario),
};

const start = async (scenario: Scenario): Promise<Backend> => {
  const house = createHouse(scenario, (id) => id);
  const witness = createWitness(() => house.loaded);
  const shelf = createShelf(house);
  const namespaces = namespacesOf(house, shelf, witness);
  const closing = new AbortController();
  const key = scenario.key === undefined ? undefined : tokenOf(scenario.key);
  const room = { scenario, witness, keyOf: shelf.keyOf, closing: closing.signal, admits: doorkeeper(key) };

  const server = createServer((request, response) => {
    const body = GREETINGS[request.url ?? ""];
    witness
      .arrived({
        operation: body === undefined ? "other" : "health",
        method: request.method ?? "GET",
        path: request.url ?? "/",
        headers: {},
        body: "",
        asked: {},
      })
      .answered();
    if (scenario.silent === true) return;
    response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
    const error = `Unexpected endpoint or method. (${request.method ?? ""} ${request.url ?? ""})`;
    response.end(JSON.stringify(body ?? { error }));
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on("connection", (socket: Socket) => {
    socket.setNoDelay(true);
    socket.once("close", witness.connected());
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const name = (request.url ?? "").slice(1);
    const namespace = Object.hasOwn(namespaces, name) ? namespaces[name] : undefined;
    if (namespace === undefined) {
      socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => serve(client, name, namespace, room));
  });
  const address = await listen(server, scenario.port);
  if (scenario.down === true) await close(server);

  return {
    address: address.replace("http:", "ws:"),
    key,
    models: namesOf(scenario.models ?? house.models, (id) => id),
    seen: witness.seen,
    async close() {
      closing.abort();
      for (const client of sockets.clients) client.terminate();
      if (server.listening) await close(server);
    },
  };
};

const GREETINGS: Readonly<Record<string, object>> = {
  "/lmstudio-greeting": { lmstudio: true },
  "/lms-status": { package: "kit", version: "0.4.0" },
};

const TOKEN = /^sk-lm-([A-Za-z0-9]{8}):([A-Za-z0-9]{20})$/u;

/** A token has two parts, which become the client's identifier and its passkey. A key of another form is made into one. */
const tokenOf = (key: string): string => {
  if (TOKEN.test(key)) return key;
  const letters = Buffer.from(key).toString("hex").padEnd(28, "0");
  return `sk-lm-${letters.slice(0, 8)}:${letters.slice(8, 28)}`;
};

const doorkeeper = (key: string | undefined): ((identifier: string, passkey: string) => boolean) => {
  const [, id, secret] = (key === undefined ? undefined : TOKEN.exec(key)) ?? [];
  if (id !== undefined) {
    return (identifier, passkey) => identifier.replace(/^sk-lm-/u, "") === id && passkey === secret;
  }
  const passkeys = new Map<string, string>();
  return (identifier, passkey) => {
    const first = passkeys.get(identifier) ?? passkey;
    passkeys.set(identifier, first);
    return first === passkey;
  };
};
