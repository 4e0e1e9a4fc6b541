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
  const text = new TextDecoder("utf-8");
  let rest = "";

  const split = (arrived: string): string[] => {
    const all = rest === "" ? arrived : rest + arrived;
    const lines: string[] = [];
    let from = 0;
    for (let end = all.indexOf("\n", rest.length); end !== -1; end = all.indexOf("\n", from)) {
      const stop = end > from && all.charCodeAt(end - 1) === CR ? end - 1 : end;
      if (stop > from) lines.push(all.slice(from, stop));
      from = end + 1;
    }
    rest = from === 0 ? all : all.slice(from);
    if (rest.length > limit) throw tooLong(limit);
    return lines;
  };

  return {
    add: (bytes) => split(text.decode(bytes, { stream: true })),
    end() {
      const lines = split(text.decode());
      const last = rest.endsWith("\r") ? rest.slice(0, -1) : rest;
      rest = "";
      return last === "" ? lines : [...lines, last];
    },
  };
}

const CR = 13;

export function tooLong(limit: number): LlmError {
  return new LlmError("invalid-response", `the backend sent ${limit} characters without an end of line`, {
    phase: "stream",
    hint: "is this the address of a model server?",
  });
}
