import { LlmError } from "@enginehouse/llm-core";

import { isPage } from "./faults.ts";
import { type Decoder, type DecoderOptions, TextPieces, tooLong } from "./lines.ts";

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
export const createSseDecoder = ({ limit = LIMIT }: DecoderOptions = {}): Decoder<SseEvent> =>
  new SseDecoder(limit);

/** A class, and one instance kept, for the reason that llm-core's stream.ts gives. */
class SseDecoder implements Decoder<SseEvent> {
  static readonly kept = new SseDecoder(LIMIT);
  private readonly limit: number;
  private readonly text = new TextPieces();
  private rest = "";
  private afterCr = false;
  private event = "message";
  private id: string | undefined;
  private data: string | undefined;
  private given = false;

  constructor(limit: number) {
    this.limit = limit;
  }

  add(bytes: Uint8Array): SseEvent[] {
    return this.split(this.text.add(bytes));
  }

  end(): SseEvent[] {
    const events = this.split(this.text.end());
    if (!this.given) refusePage(this.rest);
    return events;
  }

  private split(read: string): SseEvent[] {
    if (read === "") return [];
    const arrived = this.afterCr || read.includes("\r") ? this.withLineFeeds(read) : read;
    const first = arrived.indexOf("\n");
    if (first === -1) {
      // Joined when its end comes: looking through it at each read would cost the square of its length.
      this.rest += arrived;
      this.checkLength();
      return [];
    }
    // One whole event, as a model sends it, without the room that an array takes for more.
    if (this.isOneEvent(arrived, first)) {
      this.given = true;
      return [{ event: "message", data: arrived.slice(6, first), id: this.id }];
    }
    const all = this.rest === "" ? arrived : this.rest + arrived;
    const events: SseEvent[] = [];
    let at = 0;
    for (let end = first + this.rest.length; end !== -1; end = all.indexOf("\n", at)) {
      if (end === at) this.close(events);
      // Nearly every line, without a string of its own for it.
      else if (this.data === undefined && all.startsWith("data: ", at)) this.data = all.slice(at + 6, end);
      else this.take(all.slice(at, end));
      at = end + 1;
    }
    this.rest = all.slice(at);
    this.checkLength();
    return events;
  }

  /** A CR ends its line at once; the LF that may follow it in the next read is the second half of that end. */
  private withLineFeeds(read: string): string {
    const arrived = this.afterCr && read.startsWith("\n") ? read.slice(1) : read;
    this.afterCr = read.endsWith("\r");
    return arrived.replaceAll(/\r\n?/g, "\n");
  }

  private isOneEvent(arrived: string, end: number): boolean {
    if (end !== arrived.length - 2 || arrived.charCodeAt(end + 1) !== LF) return false;
    const { rest, data, event } = this;
    return rest === "" && data === undefined && event === "message" && arrived.startsWith("data: ");
  }

  private checkLength(): void {
    if (this.rest.length + (this.data?.length ?? 0) > this.limit) throw tooLong(this.limit);
  }

  private close(events: SseEvent[]): void {
    if (this.data !== undefined) {
      events.push({ event: this.event, data: this.data, id: this.id });
      this.given = true;
    }
    this.event = "message";
    this.data = undefined;
  }

  private take(line: string): void {
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + (line.charCodeAt(colon + 1) === SPACE ? 2 : 1));
    if (field === "data") this.data = this.data === undefined ? value : `${this.data}\n${value}`;
    else if (field === "event") this.event = value === "" ? "message" : value;
    else if (field === "id" && !line.includes("\0")) this.id = value;
    else if (!this.given) refusePage(line);
  }
}

const LF = 10;
const SPACE = 32;

/** To the standard a web page is lines that say nothing: a wrong address would look like an answer that broke off. */
function refusePage(line: string): void {
  if (!isPage(line)) return;
  throw new LlmError("invalid-response", "a web page came instead of an answer", {
    phase: "stream",
    hint: "is this the address of a model server?",
  });
}
