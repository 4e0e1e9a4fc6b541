/** Takes thoughts between tags out of the text: only where the answer begins with them, so that a tag further on is text. */
export interface Thoughts {
  add(text: string): readonly Said[];
  end(): readonly Said[];
}

export interface Said {
  readonly thought: boolean;
  readonly text: string;
}

const OPEN = "<think>";
const CLOSE = "</think>";

export function createThoughts(): Thoughts {
  let held = "";
  let state: "begin" | "thinking" | "text" = "begin";

  const take = (last: boolean): readonly Said[] => {
    if (state === "begin") {
      const start = held.trimStart();
      if (start.startsWith(OPEN)) {
        held = start.slice(OPEN.length);
        state = "thinking";
      } else if (!last && OPEN.startsWith(start)) return [];
      else state = "text";
    }
    if (state === "thinking") {
      const at = held.indexOf(CLOSE);
      if (at >= 0) {
        const thought = held.slice(0, at);
        held = held.slice(at + CLOSE.length).trimStart();
        state = "text";
        return [{ thought: true, text: thought }, ...take(last)];
      }
      const keep = last ? 0 : overlap(held, CLOSE);
      const thought = held.slice(0, held.length - keep);
      held = held.slice(held.length - keep);
      return thought === "" ? [] : [{ thought: true, text: thought }];
    }
    const text = held;
    held = "";
    return text === "" ? [] : [{ thought: false, text }];
  };

  return {
    add(text) {
      if (state === "text") return [{ thought: false, text }];
      held += text;
      return take(false);
    },
    end: () => take(true),
  };
}

/** How much of the end of `text` may be the beginning of `tag`. */
function overlap(text: string, tag: string): number {
  for (let length = Math.min(text.length, tag.length - 1); length > 0; length -= 1) {
    if (tag.startsWith(text.slice(text.length - length))) return length;
  }
  return 0;
}
