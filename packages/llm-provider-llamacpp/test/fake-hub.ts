import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll } from "vitest";

/** What a file server does wrong, once, to the next request for a file. */
export type Fault =
  | { readonly do: "cut" | "stall"; readonly after: number }
  | {
      readonly do: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  | { readonly do: "ignore-range" | "wrong-range" | "no-length" | "longer" | "shorter" | "huge" }
  | { readonly do: "redirect"; readonly to: string }
  | { readonly do: "body"; readonly type: string; readonly body: Buffer };

export interface SeenRequest {
  readonly server: "hub" | "files";
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly authorization: string | undefined;
  sent: number;
  /** The caller closed the connection before the answer was whole. */
  left: boolean;
}

/**
 * The two servers behind a model hub's download: the hub itself (`/api/models/…/tree/…`, `/…/resolve/…`, which leads on
 * with the file's sum in `x-linked-etag`) and the file server, of another origin, that has ranges and tags.
 */
export interface FakeHub {
  readonly url: string;
  readonly filesUrl: string;
  readonly seen: SeenRequest[];
  /** Puts a file into a repository, or replaces it. */
  put(repository: string, path: string, content: Buffer): void;
  /** For the next requests to the file server, in order. */
  misbehave(...faults: readonly Fault[]): void;
  /** For the next requests to the hub. */
  misbehaveAtHub(...faults: readonly Fault[]): void;
  /** Bytes per write and the pause between two, from now on. */
  slow(bytes: number, pauseMs: number): void;
  fileRequests(): readonly SeenRequest[];
  openSockets(): number;
  reset(): void;
}

export async function startFakeHub(): Promise<FakeHub> {
  const content = new Map<string, Buffer>();
  const seen: SeenRequest[] = [];
  const sockets = new Set<unknown>();
  const faults: Fault[] = [];
  const hubFaults: Fault[] = [];
  let pace = { bytes: 64 * 1024, pauseMs: 0 };

  const track = (server: Server): void => {
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
  };

  function note(server: "hub" | "files", request: IncomingMessage, response: ServerResponse): SeenRequest {
    const { range, authorization } = request.headers;
    const ifRange = request.headers["if-range"];
    const one: SeenRequest = {
      server,
      path: request.url ?? "",
      range,
      ifRange: typeof ifRange === "string" ? ifRange : undefined,
      authorization,
      sent: 0,
      left: false,
    };
    seen.push(one);
    response.once("close", () => (one.left = !response.writableFinished));
    return one;
  }

  const hub = createServer((request, response) => {
    note("hub", request, response);
    const fault = hubFaults.shift();
    if (fault?.do === "status")
      return void response.writeHead(fault.status, fault.headers).end(fault.body ?? "{}");
    if (fault?.do === "redirect") return void response.writeHead(302, { location: fault.to }).end();
    const path = decodeURIComponent(new URL(request.url ?? "", "http://hub").pathname);
    const tree = /^\/api\/models\/([^/]+\/[^/]+)\/tree\/main$/.exec(path)?.[1];
    if (tree !== undefined) {
      const entries = [...content].flatMap(([key, bytes]) =>
        key.startsWith(`${tree}/`)
          ? [
              {
                type: "file",
                path: key.slice(tree.length + 1),
                size: bytes.length,
                oid: "0",
                lfs: { oid: sumOf(bytes), size: bytes.length },
              },
            ]
          : [],
      );
      if (entries.length === 0) return void response.writeHead(404).end('{"error":"Repository not found"}');
      return void response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify(entries));
    }
    const file = /^\/([^/]+\/[^/]+)\/resolve\/main\/(.+)$/.exec(path);
    const bytes = content.get(`${file?.[1]}/${file?.[2]}`);
    if (file === null || bytes === undefined)
      return void response.writeHead(404).end('{"error":"Entry not found"}');
    response
      .writeHead(302, {
        location: `${filesUrl}/${file[1]}/${file[2]}?signature=secret`,
        "x-linked-etag": `"${sumOf(bytes)}"`,
        "x-linked-size": bytes.length,
      })
      .end();
  });

  const files = createServer((request, response) => {
    const one = note("files", request, response);
    const path = decodeURIComponent(new URL(request.url ?? "", "http://files").pathname).slice(1);
    void serve(one, path, faults.shift(), response);
  });

  async function serve(
    one: SeenRequest,
    path: string,
    fault: Fault | undefined,
    response: ServerResponse,
  ): Promise<void> {
    if (fault?.do === "status")
      return void response.writeHead(fault.status, fault.headers).end(fault.body ?? "no");
    if (fault?.do === "redirect") return void response.writeHead(302, { location: fault.to }).end();
    if (fault?.do === "body")
      return void response.writeHead(200, { "content-type": fault.type }).end(fault.body);
    const bytes = content.get(path);
    if (bytes === undefined) return void response.writeHead(404).end("no such file");
    const etag = `"${sumOf(bytes).slice(0, 16)}"`;
    const wanted = Number(/^bytes=(\d+)-$/.exec(one.range ?? "")?.[1] ?? Number.NaN);
    const ranged =
      !Number.isNaN(wanted) &&
      fault?.do !== "ignore-range" &&
      (one.ifRange === undefined || one.ifRange === etag);
    if (ranged && wanted >= bytes.length)
      return void response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
    let start = ranged ? wanted : 0;
    if (ranged && fault?.do === "wrong-range") start = Math.max(0, wanted - 7);
    let end = bytes.length;
    if (fault?.do === "shorter") end -= 100;
    const headers: Record<string, string | number> = {
      etag,
      "accept-ranges": "bytes",
      "content-type": "application/octet-stream",
    };
    if (fault?.do !== "no-length") headers["content-length"] = end - start + (fault?.do === "longer" ? 8 : 0);
    if (fault?.do === "huge") headers["content-length"] = 9e15;
    if (ranged) headers["content-range"] = `bytes ${start}-${end - 1}/${bytes.length}`;
    response.writeHead(ranged ? 206 : 200, headers);
    for (let at = start; at < end && !response.destroyed;) {
      const limit = fault?.do === "cut" || fault?.do === "stall" ? Math.min(end, start + fault.after) : end;
      const next = Math.min(limit, at + pace.bytes);
      await new Promise<void>((resolve) => {
        const over = (): void => {
          response.off("close", over);
          resolve();
        };
        response.once("close", over);
        response.write(bytes.subarray(at, next), over);
      });
      one.sent += next - at;
      at = next;
      if (at === limit && limit < end) {
        // What has been sent shall arrive before the connection goes.
        if (fault?.do === "cut") setTimeout(() => response.destroy(), 60);
        return;
      }
      if (pace.pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pace.pauseMs));
    }
    if (fault?.do === "longer") response.write(Buffer.alloc(8));
    response.end();
  }

  track(hub);
  track(files);
  const url = await listen(hub, "127.0.0.1");
  // Another name of the same machine is another origin.
  const filesUrl = (await listen(files, "127.0.0.1")).replace("127.0.0.1", "localhost");
  afterAll(() => {
    for (const server of [hub, files]) {
      server.closeAllConnections();
      server.close();
    }
  });

  return {
    url,
    filesUrl,
    seen,
    put: (repository, path, bytes) => void content.set(`${repository}/${path}`, bytes),
    misbehave: (...more) => void faults.push(...more),
    misbehaveAtHub: (...more) => void hubFaults.push(...more),
    slow: (bytes, pauseMs) => void (pace = { bytes, pauseMs }),
    fileRequests: () => seen.filter(({ server }) => server === "files"),
    openSockets: () => sockets.size,
    reset() {
      seen.length = 0;
      faults.length = 0;
      hubFaults.length = 0;
      content.clear();
      pace = { bytes: 64 * 1024, pauseMs: 0 };
    },
  };
}

export function sumOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function listen(server: Server, host: string): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, host, () => resolve(`http://${host}:${(server.address() as AddressInfo).port}`));
  });
}
