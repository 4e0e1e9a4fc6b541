/** Starts the service: settings, parts, socket; and stops it in the other order. */
import { realpathSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { pathToFileURL } from "node:url";

import { getRequestListener } from "@hono/node-server";

import { answerMalformed, refuseAddress } from "./api/malformed.ts";
import { toProblem } from "./api/problem.ts";
import { createApp } from "./app.ts";
import { openService, type Service, type ServiceOptions } from "./service.ts";
import { readSettings, type ServiceSettings } from "./settings.ts";

export interface RunningServer {
  readonly url: string;
  readonly service: Service;
  /** Stops answers, jobs, engines and the socket. Idempotent. */
  close(): Promise<void>;
}

/** How long a connection may take to finish what it is doing when the service stops. */
const GRACE_MS = 500;

type Listener = ReturnType<typeof getRequestListener>;

export async function startServer(
  settings: ServiceSettings,
  options: ServiceOptions = {},
): Promise<RunningServer> {
  let ready: (listener: Listener) => void = () => undefined;
  const listening = new Promise<Listener>((resolve) => {
    ready = resolve;
  });
  // What arrives while the documents are being opened waits for them: a socket that accepts must answer.
  const server = createServer({ requireHostHeader: false }, (incoming, outgoing) => {
    void listening.then((listener) => listener(incoming, outgoing));
  });
  answerMalformed(server);
  // The port first: a service that cannot be reached should not touch the documents of the one that can.
  await listen(server, settings);
  let service: Service;
  try {
    service = await openService(settings, options);
  } catch (error) {
    server.close();
    server.closeAllConnections();
    throw error;
  }
  ready(
    getRequestListener(createApp(service).fetch, {
      autoCleanupIncoming: false,
      overrideGlobalObjects: false,
      // Only what is no address gets here: the application answers all its own failures.
      errorHandler: refuseAddress,
    }),
  );
  let closing: Promise<void> | undefined;
  return {
    url: addressOf(server, settings.host),
    service,
    close: () =>
      (closing ??= (async () => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        // Running answers end first, so that their readers are told.
        await service.close();
        server.closeIdleConnections();
        const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS);
        await closed;
        clearTimeout(timer);
      })()),
  };
}

function listen(server: Server, { host, port }: ServiceSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenFault(error, host, port)));
    server.listen(port, host, () => resolve());
  });
}

function listenFault(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === "EADDRINUSE") {
    return new Error(
      `port ${port} of ${host} is taken; stop the program that uses it, or set PORT to another number`,
    );
  }
  if (error.code === "EACCES") {
    return new Error(`port ${port} may not be used by this account; set PORT to a number above 1023`);
  }
  if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND") {
    return new Error(`${host} is no address of this computer; correct HOST, or leave it out`);
  }
  return new Error(`the service could not listen on ${host}, port ${port}: ${error.message}`, {
    cause: error,
  });
}

function addressOf(server: Server, host: string): string {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

async function main(): Promise<void> {
  const running = await startServer(readSettings(process.env));
  process.stdout.write(`Enginehouse is at ${running.url}\n`);
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    running.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  const report = (error: unknown) => running.service.report(`enginehouse: bug: ${lineOf(error)}`);
  process.on("unhandledRejection", report);
  // A plugin may throw in a timer of its own: that costs what it was doing, not the answers of all others.
  process.on("uncaughtException", (error: unknown) => {
    // Nobody reads what would be reported.
    const { code, syscall } = Object(error) as NodeJS.ErrnoException;
    if (code !== "EPIPE" || syscall !== "write") report(error);
  });
}

function fail(error: unknown): never {
  process.stderr.write(`enginehouse: ${lineOf(error)}\n`);
  process.exit(1);
}

function lineOf(error: unknown): string {
  const { code, detail, hint } = toProblem(error);
  if (code !== "internal") return hint === undefined ? detail : `${detail} ${hint}`;
  return error instanceof Error ? error.message : String(error);
}

const [, script] = process.argv;
if (script !== undefined && import.meta.url === pathToFileURL(realpathSync(script)).href) main().catch(fail);
