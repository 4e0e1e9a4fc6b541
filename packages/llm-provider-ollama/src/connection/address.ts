/** Ollama's own service. */
export const CLOUD = "https://ollama.com";

const PORT = "11434";

/**
 * The base URL that a text means by the rules of Ollama's own client: host, host:port, :port, a scheme or not, a path or
 * not, IPv6 with brackets or without, quotes around it all. An address to listen at everywhere is this machine to a client.
 */
export function addressOf(text: string): string | undefined {
  const plain = text
    .trim()
    .replaceAll(/^["']|["']$/g, "")
    .trim();
  const [, scheme, rest = ""] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(plain) ?? [];
  if (scheme === undefined && /^(?:www\.)?ollama\.com(?:\/|$)/.test(rest)) return CLOUD;
  const protocol = scheme?.toLowerCase() ?? "http";
  if (protocol !== "http" && protocol !== "https") return undefined;
  const slash = rest.search(/[/?#]/);
  const place = slash === -1 ? rest : rest.slice(0, slash);
  const path = slash === -1 ? "" : rest.slice(slash);
  const at = place.lastIndexOf("@") + 1;
  const [host, port] = split(place.slice(at));
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535)) return undefined;
  // With a scheme, its own port; without one, Ollama's.
  const suffix = port ?? (scheme === undefined ? PORT : undefined);
  const authority = `${place.slice(0, at)}${reachable(host)}${suffix === undefined ? "" : `:${suffix}`}`;
  const url = URL.parse(`${protocol}://${authority}${path}`);
  return url === null ? undefined : url.href.replace(/\/$/, "");
}

/** `host:port`, `[::1]:port`, `::1`, `:port`. */
function split(place: string): readonly [host: string, port: string | undefined] {
  const bracketed = /^(\[[^\]]*\])(?::(.*))?$/.exec(place);
  if (bracketed !== null) return [bracketed[1] ?? "", bracketed[2] === "" ? undefined : bracketed[2]];
  const parts = place.split(":");
  if (parts.length > 2) return [`[${place}]`, undefined];
  return [parts[0] ?? "", parts[1] === "" ? undefined : parts[1]];
}

function reachable(host: string): string {
  if (host === "" || host === "0.0.0.0") return "127.0.0.1";
  return /^\[(?:::|0(?::0){7})\]$/.test(host) ? "[::1]" : host;
}

/** Whether the server is on this machine. */
export function isLocal(baseUrl: string): boolean {
  const host = URL.parse(baseUrl)?.hostname ?? "";
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}
