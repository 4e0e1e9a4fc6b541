import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** Who sends a request: hears of the connection, and may give the request up at any time. */
export interface Asker {
  /** The connection is there. */
  connected(): void;
  /** Takes what ends the request, and calls it at once where the request was given up before. */
  stopsWith(stop: Stop): void;
  /** The request is over: there is nothing to end any more, unless another one has begun meanwhile. */
  isDoneWith(stop: Stop): void;
}

export type Stop = (reason: unknown) => void;

/** One request until its reply is closed. From then on it holds neither the body that was sent nor who asked. */
export class Sending {
  private asker: Asker | undefined;
  private readonly onClose: (message: IncomingMessage) => void;
  private readonly reply: PromiseWithResolvers<IncomingMessage> = Promise.withResolvers();
  private outgoing: ClientRequest | undefined;
  private message: IncomingMessage | undefined;
  private stopped = false;

  constructor(asker: Asker, onClose: (message: IncomingMessage) => void) {
    this.asker = asker;
    this.onClose = onClose;
  }

  start(request: () => ClientRequest, body: string | Uint8Array | undefined): Promise<IncomingMessage> {
    this.asker?.stopsWith(this.stop);
    if (this.stopped) return this.reply.promise;
    try {
      this.outgoing = request();
      this.listen(this.outgoing);
      this.outgoing.end(body);
    } catch (error) {
      this.stop(error);
      this.done();
    }
    return this.reply.promise;
  }

  private listen(outgoing: ClientRequest): void {
    outgoing.on("response", (message) => {
      this.message = message;
      // A message that is destroyed before anybody reads it must not become an uncaught error.
      message.on("error", () => undefined);
      // After the headers an abort belongs to the body: it must break the read that is under way.
      message.on("close", () => {
        this.done();
        this.onClose(message);
      });
      this.reply.resolve(message);
    });
    // Nobody asked for another protocol: without a listener the request would stay without an answer.
    outgoing.on("upgrade", (message, socket) => {
      this.done();
      socket.destroy();
      this.reply.reject(unknownReply(message));
    });
    outgoing.on("error", (error) => {
      if (this.message === undefined) this.done();
      this.reply.reject(error);
    });
    outgoing.on("socket", (socket) => this.connecting(socket, outgoing.protocol === "https:"));
  }

  private connecting(socket: Socket, secure: boolean): void {
    const connected = (): void => this.asker?.connected();
    if (socket.connecting) socket.once(secure ? "secureConnect" : "connect", connected);
    else connected();
  }

  private readonly stop: Stop = (reason) => {
    this.stopped = true;
    const error = reason instanceof Error ? reason : new DOMException(String(reason), "AbortError");
    this.message?.destroy(error);
    this.outgoing?.destroy(error);
    this.reply.reject(reason);
  };

  private done(): void {
    this.asker?.isDoneWith(this.stop);
    this.asker = undefined;
  }
}

/** A caller of `fetch`. */
export class SignalAsker implements Asker {
  readonly connected: () => void;
  private readonly signal: AbortSignal | null | undefined;
  private readonly listeners = new Map<Stop, () => void>();

  constructor(signal: AbortSignal | null | undefined, connected: () => void = () => undefined) {
    this.signal = signal;
    this.connected = connected;
  }

  stopsWith(stop: Stop): void {
    const { signal } = this;
    if (signal === null || signal === undefined) return;
    const listener = (): void => stop(signal.reason);
    if (signal.aborted) return listener();
    this.listeners.set(stop, listener);
    signal.addEventListener("abort", listener, { once: true });
  }

  isDoneWith(stop: Stop): void {
    const listener = this.listeners.get(stop);
    if (listener !== undefined) this.signal?.removeEventListener("abort", listener);
  }
}

export function unknownReply(message: IncomingMessage, cause?: unknown): TypeError {
  message.destroy();
  const says = `a reply of status ${message.statusCode ?? 0} that fetch does not know`;
  return Object.assign(new TypeError(says, { cause }), { code: "HPE_INVALID_STATUS" });
}
