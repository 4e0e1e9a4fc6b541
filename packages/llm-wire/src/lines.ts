import { LlmError } from "@enginehouse/llm-core";

/** Turns bytes, cut anywhere, into whole pieces. A piece that is not complete yet is kept for the next `add`. */
export interface Decoder<Piece> {
  /** The pieces that these bytes complete. */
  add(bytes: Uint8Array): Piece[];
  /** What is left at the end of the bytes. */
  end(): Piece[];
}

export interface DecoderOptions {
  /** The most characters one piece may have before it is `invalid-response`. Default 32 Mi. */
  readonly limit?: number | undefined;
}

const LIMIT = 32 * 1024 * 1024;

/** Lines ended by LF or CRLF. Blank lines are left out; a last line without an end counts. */
export const createLineDecoder = ({ limit = LIMIT }: DecoderOptions = {}): Decoder<string> =>
  new LineDecoder(limit);

/** UTF-8 in pieces. The mark at the very start is taken away here: the engine's own streaming also loses later ones. */
export class TextPieces {
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  private begun = false;

  add(bytes: Uint8Array): string {
    // What ends with an ASCII character ends whole, and a whole text is decoded in half the time.
    const whole = (bytes[bytes.length - 1] ?? ASCII_END) < ASCII_END;
    const text = this.decoder.decode(bytes, whole ? WHOLE : GOES_ON);
    return this.begun ? text : this.unmarked(text);
  }

  end(): string {
    // Options of the same shape as in `add`: Node's own code is optimised for one.
    const text = this.decoder.decode(undefined, WHOLE);
    return this.begun ? text : this.unmarked(text);
  }

  private unmarked(text: string): string {
    this.begun = text !== "";
    return text.startsWith("\uFEFF") ? text.slice(1) : text;
  }
}

const WHOLE = { stream: false } as const;
const GOES_ON = { stream: true } as const;
const ASCII_END = 0x80;

/** A class, and one instance kept, for the reason that llm-core's stream.ts gives. */
class LineDecoder implements Decoder<string> {
  static readonly kept = new LineDecoder(LIMIT);
  private readonly limit: number;
  private readonly text = new TextPieces();
  private rest = "";

  constructor(limit: number) {
    this.limit = limit;
  }

  add(bytes: Uint8Array): string[] {
    const text = this.text.add(bytes);
    const end = text.length - 1;
    // One whole line, as a model sends it, needs no search for more.
    const whole =
      end > 0 && this.rest === "" && text.charCodeAt(end) === LF && text.charCodeAt(end - 1) !== CR;
    return whole && text.indexOf("\n") === end ? [text.slice(0, end)] : this.split(text);
  }

  end(): string[] {
    const lines = this.split(this.text.end());
    const last = this.rest.endsWith("\r") ? this.rest.slice(0, -1) : this.rest;
    this.rest = "";
    return last === "" ? lines : [...lines, last];
  }

  private split(arrived: string): string[] {
    const first = arrived.indexOf("\n");
    if (first === -1) {
      // Joined when its end comes: looking through it at each read would cost the square of its length.
      this.rest += arrived;
      if (this.rest.length > this.limit) throw tooLong(this.limit);
      return [];
    }
    const all = this.rest === "" ? arrived : this.rest + arrived;
    let end = first + this.rest.length;
    const lines: string[] = [];
    let from = 0;
    for (; end !== -1; end = all.indexOf("\n", from)) {
      const stop = end > from && all.charCodeAt(end - 1) === CR ? end - 1 : end;
      if (stop > from) lines.push(all.slice(from, stop));
      from = end + 1;
    }
    this.rest = all.slice(from);
    if (this.rest.length > this.limit) throw tooLong(this.limit);
    return lines;
  }
}

const LF = 10;
const CR = 13;

export function tooLong(limit: number): LlmError {
  return new LlmError("invalid-response", `the backend sent ${limit} characters without an end of line`, {
    phase: "stream",
    hint: "is this the address of a model server?",
  });
}
