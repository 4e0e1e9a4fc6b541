import { connect } from "node:net";

const PORTS: Readonly<Record<string, number>> = { "http:": 80, "ws:": 80, "https:": 443, "wss:": 443 };
const LIMIT_MS = 5_000;

/** Why nothing can be reached at the address, or `undefined`. An address that is none of a network says nothing. */
export function unreachable(address: string, signal: AbortSignal): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(address);
  const usual = PORTS[protocol];
  if (usual === undefined) return Promise.resolve(undefined);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const socket = connect({ host, port: port === "" ? usual : Number(port), signal });
  return new Promise((resolve) => {
    const ended = (reason: string | undefined): void => {
      socket.destroy();
      resolve(reason);
    };
    socket.setTimeout(LIMIT_MS, () => ended(`no answer within ${LIMIT_MS} ms`));
    socket.once("connect", () => ended(undefined));
    socket.once("error", (error: NodeJS.ErrnoException) => ended(error.code ?? error.message));
  });
}
