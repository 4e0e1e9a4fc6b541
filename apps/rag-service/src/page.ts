/** The built page: files with a hash in their name are kept for ever, the rest is asked for again. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { extname, join, normalize, sep } from "node:path";
import { Readable } from "node:stream";

import type { MiddlewareHandler } from "hono";

import { fault } from "./api/problem.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".map": "application/json",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

export function servePage(folder: string): MiddlewareHandler {
  return async (context, next) => {
    const { path } = context.req;
    if (/^\/(?:api|v1)(?:\/|$)/.test(path)) return next();
    const asset = extname(path) !== "";
    const file = await find(folder, asset ? path : "/index.html");
    if (file === undefined) {
      if (asset) return next();
      throw fault({
        status: 404,
        code: "page-not-built",
        detail: "The page has not been built; the API is there.",
        hint: "Build it with `pnpm --filter @enginehouse/rag-service build`, then start again.",
        retryable: false,
      });
    }
    const tag = `"${file.size.toString(36)}-${Math.round(file.modified).toString(36)}"`;
    const kept = path.startsWith("/assets/");
    const headers = {
      "content-type": TYPES[extname(file.path)] ?? "application/octet-stream",
      "cache-control": kept ? "public, max-age=31536000, immutable" : "no-cache",
      etag: tag,
    };
    if (context.req.header("if-none-match") === tag) return new Response(null, { status: 304, headers });
    const size = { "content-length": String(file.size) };
    const body =
      context.req.method === "HEAD" ? null : (Readable.toWeb(createReadStream(file.path)) as ReadableStream);
    return new Response(body, { headers: { ...headers, ...size } });
  };
}

async function find(folder: string, path: string) {
  const decoded = decode(path);
  if (decoded === undefined || decoded.includes("\0")) return undefined;
  const full = normalize(join(folder, decoded));
  if (!full.startsWith(folder + sep)) return undefined;
  const found = await stat(full).catch(() => undefined);
  if (found?.isFile() !== true) return undefined;
  return { path: full, size: found.size, modified: found.mtimeMs };
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
