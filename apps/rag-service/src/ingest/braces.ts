/** All that a pattern with braces stands for, or `undefined` when that is more than `most` patterns. */
export function readBraces(pattern: string, most: number): readonly string[] | undefined {
  const pieces = readPieces(pattern, most);
  return count(pieces) > most ? undefined : writeOut(pieces);
}

/** A text, or a choice. */
type Piece = string | readonly (readonly Piece[])[];

/** Counted before anything is written out: forty braces stand for more patterns than there is memory. */
function count(pieces: readonly Piece[]): number {
  return pieces.reduce(
    (product, piece) =>
      typeof piece === "string" ? product : product * piece.reduce((sum, option) => sum + count(option), 0),
    1,
  );
}

function writeOut(pieces: readonly Piece[]): string[] {
  return pieces.reduce<string[]>(
    (written, piece) => {
      const options = typeof piece === "string" ? [piece] : piece.flatMap(writeOut);
      return written.flatMap((start) => options.map((option) => start + option));
    },
    [""],
  );
}

function readPieces(text: string, most: number): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (let at = text.indexOf("{"); at !== -1; at = text.indexOf("{", at)) {
    const inside = readInside(text, at);
    const [only = ""] = inside ?? [];
    const options =
      inside?.length === 1 ? readRange(only, most) : inside?.map((option) => readPieces(option, most));
    if (inside === undefined || options === undefined) {
      at += 1;
      continue;
    }
    pieces.push(text.slice(from, at), options);
    from = at + inside.join(",").length + 2;
    at = from;
  }
  return [...pieces, text.slice(from)];
}

/** What stands between the commas of a brace, unless nothing closes it. */
function readInside(text: string, open: number): string[] | undefined {
  const parts: string[] = [];
  let from = open + 1;
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    const character = text[at];
    if (character === "{") depth += 1;
    else if (character === "}") depth -= 1;
    if (depth === 0 || (depth === 1 && character === ",")) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
    if (depth === 0) return parts;
  }
  return undefined;
}

/** Numbers keep the width that a leading zero asks for. One more than `most` tells that there are too many. */
function readRange(text: string, most: number): string[][] | undefined {
  const [, first, last] = /^(\d{1,9}|[a-z]|[A-Z])\.\.(\d{1,9}|[a-z]|[A-Z])$/.exec(text) ?? [];
  if (first === undefined || last === undefined || kindOf(first) !== kindOf(last)) return undefined;
  const numbers = kindOf(first) === "0";
  const ends = [first, last].map((end) => (numbers ? Number(end) : end.charCodeAt(0)));
  const low = Math.min(...ends);
  const padded = [first, last].some((end) => /^0\d/.test(end));
  const width = padded ? Math.max(first.length, last.length) : 0;
  return Array.from({ length: Math.min(Math.max(...ends) - low, most) + 1 }, (_none, step) => [
    numbers ? String(low + step).padStart(width, "0") : String.fromCharCode(low + step),
  ]);
}

function kindOf(end: string): "0" | "a" | "A" {
  if (/\d/.test(end)) return "0";
  return end === end.toLowerCase() ? "a" : "A";
}
