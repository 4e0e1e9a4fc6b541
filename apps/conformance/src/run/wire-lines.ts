import type { Backend, SeenRequest } from "../backend.ts";

/** The latest requests of each backend that are told, and how much of a body. */
const REQUESTS = 4;
const BODY = 200;

/** What the backends of a check have seen, for whoever looks for its fault: without headers, which hold keys. */
export function wireLines(backends: readonly Pick<Backend, "seen">[]): readonly string[] {
  return backends.flatMap(({ seen: { requests } }, index) => {
    const which = backends.length > 1 ? `on the wire of backend ${index + 1}` : "on the wire";
    if (requests.length === 0) return [`${which}: no request`];
    const earlier =
      requests.length > REQUESTS ? [`${which}: requests before these: ${requests.length - REQUESTS}`] : [];
    return [...earlier, ...requests.slice(-REQUESTS).map((request) => `${which}: ${lineOf(request)}`)];
  });
}

function lineOf(request: SeenRequest): string {
  const { method, path, body } = request;
  const sent = body === undefined || body === "" ? "" : ` ${shortened(textOf(body))}`;
  return `${`${method} ${path}`.trim()}${sent}, ${endOf(request)}`;
}

function endOf({ at, answeredAt, leftAt }: SeenRequest): string {
  const after = (then: number): string => `after ${Math.round(then - at)} ms`;
  if (leftAt !== undefined) return `left by the client ${after(leftAt)}`;
  if (answeredAt !== undefined) return `answered ${after(answeredAt)}`;
  return "its reply had no end, and the client had not left";
}

const textOf = (body: unknown): string => (typeof body === "string" ? body : (JSON.stringify(body) ?? ""));

const shortened = (text: string): string => (text.length > BODY ? `${text.slice(0, BODY)}…` : text);
