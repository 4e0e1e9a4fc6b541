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
export function createLineDecoder({ limit = LIMIT }: DecoderOptions = {}): Decoder<string> {
  const text = createTextDecoder();
  let rest = "";

  const split = (arrived: string): string[] => {
    const first = arrived.indexOf("\n");
    if (first === -1) {
      // Joined when its end comes: looking through it at each read would cost the square of its length.
      rest += arrived;
      if (rest.length > limit) throw tooLong(limit);
      return [];
    }
    const all = rest === "" ? arrived : rest + arrived;
    const lines: string[] = [];
    let from = 0;
    for (let end = first + rest.length; end !== -1; end = all.indexOf("\n", from)) {
      const stop = end > from && all.charCodeAt(end - 1) === CR ? end - 1 : end;
      if (stop > from) lines.push(all.slice(from, stop));
      from = end + 1;
    }
    rest = all.slice(from);
    if (rest.length > limit) throw tooLong(limit);
    return lines;
  };

  return {
    add: (bytes) => split(text(bytes)),
    end() {
      const lines = split(text());
      const last = rest.endsWith("\r") ? rest.slice(0, -1) : rest;
      rest = "";
      return last === "" ? lines : [...lines, last];
    },
  };
}

const CR = 13;

/** UTF-8 in pieces. The mark at the very start is taken away here: the engine's own streaming also loses later ones. */
export function createTextDecoder(): (bytes?: Uint8Array) => string {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let begun = false;
  return (bytes) => {
    const text = bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    if (begun || text === "") return text;
    begun = true;
    return text.startsWith("\uFEFF") ? text.slice(1) : text;
  };
}

export function tooLong(limit: number): LlmError {
  return new LlmError("invalid-response", `the backend sent ${limit} characters without an end of line`, {
    phase: "stream",
    hint: "is this the address of a model server?",
  });
}
