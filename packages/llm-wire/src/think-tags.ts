/** Tells thoughts from text in an answer that begins with `<think>`, in pieces cut anywhere. */
export interface ThinkTags {
  add(text: string): void;
  /** Lets go of what was held back because it could have become a tag. At the end, and before a tool call. */
  end(): void;
}

export interface ThinkTagsOptions {
  readonly text: (text: string) => void;
  readonly reasoning: (text: string) => void;
  /** The prompt ends with the opening tag, so that the answer begins inside the thoughts. */
  readonly opened?: boolean | undefined;
}

const OPEN = "<think>";
const CLOSE = "</think>";

/** Only at the beginning: a tag that stands anywhere else in an answer is text that somebody asked for. */
export function createThinkTags({ text, reasoning, opened = false }: ThinkTagsOptions): ThinkTags {
  let place: "before" | "opened" | "inside" | "gap" | "after" = opened ? "opened" : "before";
  let held = "";

  /** Whether another step may follow at once. */
  const step = (): boolean => {
    if (place === "before" || place === "opened") {
      const start = held.trimStart();
      if (OPEN.startsWith(start) && start !== OPEN) return false;
      const tagged = start.startsWith(OPEN);
      if (tagged) held = start.slice(OPEN.length);
      // After the prompt's own opening tag a model may write it once more.
      place = tagged || place === "opened" ? "inside" : "after";
      return true;
    }
    if (place === "inside") {
      const end = held.indexOf(CLOSE);
      const sure = end === -1 ? held.length - beginningOf(CLOSE, held) : end;
      if (sure > 0) reasoning(held.slice(0, sure));
      held = held.slice(end === -1 ? sure : sure + CLOSE.length);
      if (end !== -1) place = "gap";
      return end !== -1;
    }
    if (place === "gap") {
      // The line breaks between thoughts and answer belong to neither.
      held = held.replace(/^[\r\n]+/, "");
      if (held !== "") place = "after";
      return held !== "";
    }
    if (held !== "") text(held);
    held = "";
    return false;
  };

  return {
    add(piece) {
      if (place === "after") return text(piece);
      held += piece;
      while (step());
    },
    end() {
      if (held === "") return;
      if (place === "inside" || place === "opened") reasoning(held);
      else text(held);
      held = "";
    },
  };
}

/** How much of the end of `text` could be the beginning of `tag`. */
function beginningOf(tag: string, text: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length -= 1)
    if (text.endsWith(tag.slice(0, length))) return length;
  return 0;
}
