/** A piece of an answer, and what it is. */
export interface Piece {
  readonly thought: boolean;
  readonly text: string;
}

export interface ThinkTags {
  add(text: string): readonly Piece[];
  /** What was held back because it could have become a tag. */
  end(): readonly Piece[];
  /** All that follows is text. */
  readonly over: boolean;
}

const OPEN = "<think>";
const CLOSE = "</think>";

/**
 * Thoughts in an answer that begins with `<think>`: servers from before thinking leave them there, and later ones where a
 * model's template does not name them. A tag anywhere else is what somebody asked for.
 */
export function createThinkTags(): ThinkTags {
  let place: "head" | "thought" | "gap" | "text" = "head";
  let held = "";

  const step = (pieces: Piece[]): boolean => {
    switch (place) {
      case "head": {
        const start = held.trimStart();
        if (start !== OPEN && OPEN.startsWith(start)) return false;
        place = start.startsWith(OPEN) ? "thought" : "text";
        if (place === "thought") held = start.slice(OPEN.length);
        return true;
      }
      case "thought": {
        const end = held.indexOf(CLOSE);
        const sure = end === -1 ? held.length - unsure(held) : end;
        if (sure > 0) pieces.push({ thought: true, text: held.slice(0, sure) });
        held = held.slice(end === -1 ? sure : end + CLOSE.length);
        if (end !== -1) place = "gap";
        return end !== -1;
      }
      case "gap":
        // The line ends between thoughts and answer belong to neither.
        held = held.replace(/^[\r\n]+/, "");
        if (held !== "") place = "text";
        return held !== "";
      case "text":
        if (held !== "") pieces.push({ thought: false, text: held });
        held = "";
        return false;
    }
  };

  return {
    add(text) {
      held += text;
      const pieces: Piece[] = [];
      while (step(pieces));
      return pieces;
    },
    end() {
      const rest = held;
      held = "";
      return rest === "" ? [] : [{ thought: place === "thought", text: rest }];
    },
    get over() {
      return place === "text";
    },
  };
}

/** How much of the end of `text` could be the beginning of the closing tag. */
function unsure(text: string): number {
  for (let length = Math.min(CLOSE.length - 1, text.length); length > 0; length -= 1)
    if (text.endsWith(CLOSE.slice(0, length))) return length;
  return 0;
}
