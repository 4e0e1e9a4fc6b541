import type { JsonObject } from "@enginehouse/llm-core";
import type { WebSocket } from "ws";

import type { Scenario } from "../../scenario.ts";
import { fieldsOf, jsonOf, numberOf, stringOf } from "../reading.ts";
import type { Fields } from "../reading.ts";
import type { Witness } from "../witness.ts";
import type { Namespace } from "./endpoints.ts";
import { refused, wireErrorOf } from "./errors.ts";
import { operationOf, readLmstudio } from "./read.ts";

export interface Room {
  readonly scenario: Scenario;
  readonly witness: Witness;
  /** Says whether a client may come in: the first passkey seen for an identifier is its passkey. */
  readonly admits: (identifier: string, passkey: string) => boolean;
  /** The key of a model that a request names by an instance. */
  readonly keyOf: (name: string | undefined) => string | undefined;
  readonly closing: AbortSignal;
}

/** One socket: the first frame says who comes, then calls and channels share it. */
export const serve = (socket: WebSocket, name: string, namespace: Namespace, room: Room): void => {
  const { scenario, witness } = room;
  const channels = new Map<number, { cancel(): void; cancelled: boolean }>();
  const left = new AbortController();
  const away = AbortSignal.any([left.signal, room.closing]);
  let known = false;

  const send = (frame: JsonObject): void => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame));
  };
  const warn = (warning: string): void => send({ type: "communicationWarning", warning });

  const arrives = (method: string, endpoint: string, parameter: unknown) => {
    const asked = readLmstudio(endpoint, parameter);
    const note = witness.arrived({
      operation: operationOf(endpoint),
      method,
      path: `/${name}/${endpoint}`,
      headers: {},
      body: parameter,
      asked: asked.model === undefined ? asked : { ...asked, model: room.keyOf(asked.model) },
    });
    left.signal.addEventListener("abort", () => note.left(), { once: true });
    return note;
  };

  const answer = async (frame: Fields): Promise<void> => {
    const callId = numberOf(frame["callId"]) ?? 0;
    const endpoint = stringOf(frame["endpoint"]) ?? "";
    const rpc = Object.hasOwn(namespace.rpc, endpoint) ? namespace.rpc[endpoint] : undefined;
    const note = arrives("rpc", endpoint, frame["parameter"]);
    if (rpc === undefined) return warn(`No rpc endpoint "${endpoint}" here`);
    try {
      if (scenario.refusesAll !== undefined) throw refused(scenario.refusesAll);
      const result = await rpc(fieldsOf(frame["parameter"]), away);
      send({ type: "rpcResult", callId, ...(result === undefined ? {} : { result }) });
    } catch (error) {
      if (away.aborted) return;
      send({ type: "rpcError", callId, error: wireErrorOf(error) });
    }
    note.answered();
  };

  const open = async (frame: Fields): Promise<void> => {
    const channelId = numberOf(frame["channelId"]) ?? 0;
    const endpoint = stringOf(frame["endpoint"]) ?? "";
    const run = Object.hasOwn(namespace.channel, endpoint) ? namespace.channel[endpoint] : undefined;
    const parameter = frame["creationParameter"];
    const note = arrives("channel", endpoint, parameter);
    if (run === undefined) return warn(`No channel endpoint "${endpoint}" here`);
    const cancelling = new AbortController();
    const state = {
      cancelled: false,
      cancel() {
        state.cancelled = true;
        note.left();
        cancelling.abort();
      },
    };
    channels.set(channelId, state);
    const channel = {
      gone: AbortSignal.any([away, cancelling.signal]),
      send: (message: JsonObject) => send({ type: "channelSend", channelId, message }),
      cut(how: "reset" | "close") {
        channels.delete(channelId);
        if (how === "reset") socket.terminate();
        else socket.close();
      },
    };
    try {
      if (scenario.refusesAll !== undefined) throw refused(scenario.refusesAll);
      await run(fieldsOf(parameter), channel, () => state.cancelled);
      send({ type: "channelClose", channelId });
    } catch (error) {
      const told = state.cancelled ? new Error("The call was cancelled.") : error;
      if (!away.aborted) send({ type: "channelError", channelId, error: wireErrorOf(told) });
    }
    channels.delete(channelId);
    if (!away.aborted) note.answered();
  };

  const enter = (frame: Fields): void => {
    const identifier = stringOf(frame["clientIdentifier"]) ?? "";
    if (frame["authVersion"] === 1 && room.admits(identifier, stringOf(frame["clientPasskey"]) ?? "")) {
      known = true;
      return send({ success: true });
    }
    send({ success: false, error: "The client's key does not fit" });
    socket.close();
  };

  socket.on("close", () => left.abort());
  socket.on("error", () => undefined);
  socket.on("message", (data: Buffer) => {
    const frame = fieldsOf(jsonOf(data.toString("utf8")));
    if (scenario.silent === true) return;
    if (!known) return enter(frame);
    const { type } = frame;
    if (type === "rpcCall") void answer(frame);
    else if (type === "channelCreate") void open(frame);
    else if (type === "channelSend") {
      const { type: wish } = fieldsOf(frame["message"]);
      const target = channels.get(numberOf(frame["channelId"]) ?? 0);
      if (target === undefined) warn(`Channel ${String(frame["channelId"])} is not open`);
      else if (wish === "cancel" || wish === "stop") target.cancel();
    } else if (type === "keepAlive") send({ type: "keepAliveAck" });
    else if (type !== "communicationWarning") warn(`Unexpected message type ${String(type)}`);
  });
};
