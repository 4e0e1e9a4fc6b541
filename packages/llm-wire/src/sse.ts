import { type Decoder, type DecoderOptions, tooLong } from "./lines.ts";

/** One server-sent event. */
export interface SseEvent {
  /** `message` where the server names none. */
  readonly event: string;
  /** The data lines, joined by LF. */
  readonly data: string;
  readonly id?: string | undefined;
}

const LIMIT = 32 * 1024 * 1024;

/**
 * Server-sent events as the HTML standard defines them (html.spec.whatwg.org, "Interpreting an event stream"): lines
 * end with LF, CRLF or CR, comments and unknown fields are skipped, an event without data is none, and one that is
 * not closed by a blank line is dropped at the end. A byte order mark at the start is not part of it.
 */
export function createSseDecoder({ limit = LIMIT }: DecoderOptions = {}): Decoder<SseEvent> {
  const text = new TextDecoder("utf-8");
  let rest = "";
  let heldCr = false;
  let event = "";
  let id: string | undefined;
  let data: string | undefined;

  const take = (line: string, events: SseEvent[]): void => {
    if (line === "") {
      if (data !== undefined) events.push({ event: event === "" ? "message" : event, data, id });
      event = "";
      data = undefined;
      return;
    }
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const start = colon === -1 ? line.length : colon + (line.charCodeAt(colon + 1) === SPACE ? 2 : 1);
    if (field === "data") data = data === undefined ? line.slice(start) : `${data}\n${line.slice(start)}`;
    else if (field === "event") event = line.slice(start);
    else if (field === "id" && !line.includes("\0")) id = line.slice(start);
  };

  const split = (arrived: string): SseEvent[] => {
    let all = heldCr ? `\r${arrived}` : arrived;
    heldCr = false;
    if (all.includes("\r")) {
      // A CR at the very end may be the first half of a CRLF.
      heldCr = all.endsWith("\r");
      all = (heldCr ? all.slice(0, -1) : all).replaceAll(/\r\n?/g, "\n");
    }
    const from = rest.length;
    all = rest === "" ? all : rest + all;
    const events: SseEvent[] = [];
    let at = 0;
    for (let end = all.indexOf("\n", from); end !== -1; end = all.indexOf("\n", at)) {
      take(all.slice(at, end), events);
      at = end + 1;
    }
    rest = at === 0 ? all : all.slice(at);
    if (rest.length + (data?.length ?? 0) > limit) throw tooLong(limit);
    return events;
  };

  return {
    add: (bytes) => split(text.decode(bytes, { stream: true })),
    end() {
      const events = split(text.decode());
      if (heldCr) {
        heldCr = false;
        take(rest, events);
        rest = "";
      }
      return events;
    },
  };
}

const SPACE = 32;
