import { LlmError } from "@enginehouse/llm-core";

import { isPage } from "./faults.ts";
import { createTextDecoder, type Decoder, type DecoderOptions, tooLong } from "./lines.ts";

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
  const text = createTextDecoder();
  let rest = "";
  let afterCr = false;
  let event = "";
  let id: string | undefined;
  let data: string | undefined;
  let given = false;

  const take = (line: string, events: SseEvent[]): void => {
    if (line === "") {
      if (data !== undefined) {
        events.push({ event: event === "" ? "message" : event, data, id });
        given = true;
      }
      event = "";
      data = undefined;
      return;
    }
    const colon = line.indexOf(":");
    const end = colon === -1 ? line.length : colon;
    const value = line.slice(end + (line.charCodeAt(end + 1) === SPACE ? 2 : 1));
    if (names(line, end, "data")) data = data === undefined ? value : `${data}\n${value}`;
    else if (names(line, end, "event")) event = value;
    else if (names(line, end, "id") && !line.includes("\0")) id = value;
    else if (!given) refusePage(line);
  };

  const split = (read: string): SseEvent[] => {
    if (read === "") return [];
    let arrived = read;
    // A CR ends its line at once; the LF that may follow it in the next read is the second half of that end.
    if (afterCr && arrived.startsWith("\n")) arrived = arrived.slice(1);
    afterCr = read.endsWith("\r");
    if (arrived.includes("\r")) arrived = arrived.replaceAll(/\r\n?/g, "\n");
    const first = arrived.indexOf("\n");
    if (first === -1) {
      // Joined when its end comes: looking through it at each read would cost the square of its length.
      rest += arrived;
      if (rest.length + (data?.length ?? 0) > limit) throw tooLong(limit);
      return [];
    }
    const all = rest === "" ? arrived : rest + arrived;
    const events: SseEvent[] = [];
    let at = 0;
    for (let end = first + rest.length; end !== -1; end = all.indexOf("\n", at)) {
      take(all.slice(at, end), events);
      at = end + 1;
    }
    rest = all.slice(at);
    if (rest.length + (data?.length ?? 0) > limit) throw tooLong(limit);
    return events;
  };

  return {
    add: (bytes) => split(text(bytes)),
    end() {
      const events = split(text());
      if (!given) refusePage(rest);
      return events;
    },
  };
}

const SPACE = 32;

/** To the standard a web page is lines that say nothing: a wrong address would look like an answer that broke off. */
function refusePage(line: string): void {
  if (!isPage(line)) return;
  throw new LlmError("invalid-response", "a web page came instead of an answer", {
    phase: "stream",
    hint: "is this the address of a model server?",
  });
}

/** Whether the field that ends at `end` has this name, without a string of its own for it. */
const names = (line: string, end: number, name: string): boolean =>
  end === name.length && line.startsWith(name);
