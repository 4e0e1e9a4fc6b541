/** What never becomes a request of the application, because it is no well-formed HTTP: it gets a problem, too. */
import { type Server, STATUS_CODES, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { fault, problemResponse, toProblem } from "./problem.ts";
import type { Problem } from "./schemas.ts";

/** Node itself would close the connection with a bare status line. */
export function answerMalformed(server: Server): void {
  const answering = new WeakMap<Socket, ServerResponse>();
  server.on("request", (incoming, outgoing) => answering.set(incoming.socket, outgoing));
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    const outgoing = answering.get(socket);
    const amid = outgoing?.headersSent === true && !outgoing.writableFinished;
    if (!socket.writable || error.code === "ECONNRESET" || amid) socket.destroy();
    else socket.end(written(toProblem(malformed(error.code))));
  });
}

/** For a request whose Host header or path is no part of an address. */
export function refuseAddress(): Response {
  const detail = "The request has no Host header, or its address is not well-formed.";
  return problemResponse(toProblem(refusal(400, detail, "Send the address of this service as `Host`.")));
}

function malformed(code: string | undefined): Error {
  if (code === "HPE_HEADER_OVERFLOW")
    return refusal(431, "The headers of the request, or its address, are too long.", "Send shorter ones.");
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return refusal(408, "The request did not arrive in time.", "Send it again.");
  return refusal(400, "The request is not well-formed HTTP.", "Check what lies between client and service.");
}

function refusal(status: number, detail: string, hint: string): Error {
  return fault({ status, code: "invalid-request", detail, hint, retryable: status === 408 });
}

function written(problem: Problem): string {
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ""}`,
    "connection: close",
    "content-type: application/problem+json",
    "cache-control: no-store",
    "x-content-type-options: nosniff",
    `content-length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");
}
