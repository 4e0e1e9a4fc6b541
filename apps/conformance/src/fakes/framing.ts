import type { JsonObject } from "@enginehouse/llm-core";

import type { WireForm } from "../scenario.ts";

/** One line or event of a reply. */
export type Piece =
  | {
      readonly json: JsonObject;
      /** The event's name, for wires that name them. */
      readonly event?: string | undefined;
    }
  /** Sent as it is. */
  | { readonly raw: string };

/** How pieces become bytes. */
export interface Framing {
  readonly contentType: string;
  frame(piece: Piece, lineEnd: string): string;
  /** What may stand between two pieces and means nothing. */
  blank(lineEnd: string): string;
}

export const ndjson = (write: (json: JsonObject) => string = JSON.stringify): Framing => ({
  contentType: "application/x-ndjson",
  frame: (piece, lineEnd) => `${"raw" in piece ? piece.raw : write(piece.json)}${lineEnd}`,
  blank: (lineEnd) => lineEnd,
});

export const eventStream: Framing = {
  contentType: "text/event-stream",
  frame: (piece, lineEnd) =>
    `${"json" in piece && piece.event !== undefined ? `event: ${piece.event}${lineEnd}` : ""}data: ${bodyOf(piece)}${lineEnd}${lineEnd}`,
  blank: (lineEnd) => `: nothing new${lineEnd}${lineEnd}${lineEnd}`,
};

/** Where bytes go. `write` settles when they have been handed to the network. */
export interface Sink {
  write(bytes: Buffer): Promise<void>;
  /** The last bytes, and the end of the body with them. */
  end(bytes: Buffer): Promise<void>;
}

export interface PieceWriter {
  write(pieces: readonly Piece[]): Promise<void>;
  /** Hands over what a merged form still holds back. */
  flush(): Promise<void>;
  end(pieces?: readonly Piece[]): Promise<void>;
}

export const createPieceWriter = (sink: Sink, framing: Framing, form: WireForm = {}): PieceWriter => {
  const lineEnd = form.crlf === true ? "\r\n" : "\n";
  let held = "";

  const textOf = (pieces: readonly Piece[]): string =>
    pieces
      .map((piece) => {
        const full = form.unknownFields === true && "json" in piece ? withUnknownFields(piece) : piece;
        return `${form.blanks === true ? framing.blank(lineEnd) : ""}${framing.frame(full, lineEnd)}`;
      })
      .join("");

  const send = async (text: string, last: boolean): Promise<void> => {
    const bytes = Buffer.from(text);
    const size = form.bytes ?? Math.max(bytes.length, 1);
    let at = 0;
    for (; at + size < bytes.length; at += size) {
      await sink.write(bytes.subarray(at, at + size));
      // One turn of the loop, so that small writes reach the network one by one.
      await new Promise((resolve) => setImmediate(resolve));
    }
    const rest = bytes.subarray(at);
    if (last) await sink.end(rest);
    else if (rest.length > 0) await sink.write(rest);
  };

  return {
    async write(pieces) {
      if (form.merged === true) held += textOf(pieces);
      else for (const piece of pieces) await send(textOf([piece]), false);
    },
    async flush() {
      const text = held;
      held = "";
      await send(text, false);
    },
    async end(pieces = []) {
      if (form.merged !== true && pieces.length > 1) await this.write(pieces.slice(0, -1));
      const text = form.merged === true ? held + textOf(pieces) : textOf(pieces.slice(-1));
      held = "";
      await send(text, true);
    },
  };
};

const bodyOf = (piece: Piece): string => ("raw" in piece ? piece.raw : JSON.stringify(piece.json));

const withUnknownFields = (piece: Extract<Piece, { json: JsonObject }>): Piece => ({
  ...piece,
  json: { x_new: { since: "tomorrow", list: [1, null, "two"] }, ...piece.json, x_flag: null },
});
