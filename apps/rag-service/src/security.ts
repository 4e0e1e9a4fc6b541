/** Who may talk to the service, and what a page of it may do. */
import { timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";

import type { MiddlewareHandler } from "hono";

import { fault, shorten } from "./api/problem.ts";

export interface SecuritySettings {
  /** The address the service is bound to. */
  readonly host: string;
  readonly apiKey: string | undefined;
  /** Further names under which it is reached, such as a reverse proxy's. */
  readonly allowedHosts: readonly string[];
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "::1"]);

export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host) || /^127(?:\.\d{1,3}){3}$/.test(host);
}

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
    "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
};

export function secureHeaders(): MiddlewareHandler {
  return async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) context.res.headers.set(name, value);
  };
}

/** A page of another name that resolves to this address (DNS rebinding) is refused here. */
export function checkHost(settings: SecuritySettings): MiddlewareHandler {
  const allowed = new Set(
    [...LOOPBACK, settings.host, ...settings.allowedHosts].map((name) => name.toLowerCase()),
  );
  return async (context, next) => {
    const host = context.req.header("host") ?? new URL(context.req.url).host;
    const name = hostName(host);
    // An address needs no resolver, so nobody can point it elsewhere.
    const address = !isLoopback(settings.host) && name !== undefined && isIP(name) !== 0;
    if (name === undefined || !(allowed.has(name) || address)) {
      throw fault({
        status: 421,
        code: "host-not-allowed",
        detail: `The service does not answer to the name "${shorten(host)}".`,
        hint: "Open it as http://127.0.0.1 or http://localhost with its port, or name further hosts in ENGINEHOUSE_ALLOWED_HOSTS.",
        retryable: false,
      });
    }
    await next();
  };
}

/** Only the service's own page, or a program that is no browser, may change anything. */
export function checkOrigin(): MiddlewareHandler {
  return async (context, next) => {
    if (["GET", "HEAD", "OPTIONS"].includes(context.req.method)) return next();
    const origin = context.req.header("origin");
    const site = context.req.header("sec-fetch-site");
    const host = context.req.header("host") ?? new URL(context.req.url).host;
    const foreign = origin !== undefined && originHost(origin) !== host.toLowerCase();
    if (foreign || (site !== undefined && site !== "same-origin" && site !== "none")) {
      throw fault({
        status: 403,
        code: "origin-not-allowed",
        detail: `A page of ${origin === undefined ? "another site" : `"${shorten(origin)}"`} may not change anything here.`,
        hint: "Use the service's own page, or a program that is not a browser.",
        retryable: false,
      });
    }
    return next();
  };
}

/** With a key set, everything but the two health checks needs it: as a bearer token, or as the password a browser asks for. */
export function checkKey(apiKey: string | undefined): MiddlewareHandler {
  return async (context, next) => {
    if (apiKey === undefined || ["/healthz", "/readyz"].includes(context.req.path)) return next();
    if (same(givenKey(context.req.header("authorization")), apiKey)) return next();
    const refusal = fault({
      status: 401,
      code: "unauthenticated",
      detail: "The request carries no key, or a wrong one.",
      hint: "Send `Authorization: Bearer KEY` with the key of ENGINEHOUSE_API_KEY.",
      retryable: false,
    });
    context.header("www-authenticate", 'Basic realm="Enginehouse", charset="UTF-8"');
    throw refusal;
  };
}

function givenKey(authorization: string | undefined): string {
  const [scheme = "", value = ""] = (authorization ?? "").split(/\s+/, 2);
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return "";
  const text = Buffer.from(value, "base64").toString("utf8");
  return text.slice(text.indexOf(":") + 1);
}

function same(given: string, expected: string): boolean {
  const left = Buffer.from(given);
  const right = Buffer.from(expected);
  return left.length === right.length && timingSafeEqual(left, right);
}

function hostName(host: string): string | undefined {
  const bracketed = /^\[([0-9a-f:.]+)\](?::\d+)?$/i.exec(host);
  if (bracketed?.[1] !== undefined) return bracketed[1].toLowerCase();
  const plain = /^([^:[\]/@\s]+)(?::\d+)?$/.exec(host);
  return plain?.[1]?.toLowerCase();
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host.toLowerCase() : undefined;
}
