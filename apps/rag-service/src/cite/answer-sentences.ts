import { sentences, type Span } from "../chunk/sentences.ts";

/** An `[n]` as the model wrote it. `[1, 3]` is two of them at one place. */
export interface WrittenMarker {
  readonly start: number;
  readonly end: number;
  readonly n: number;
}

export interface AnswerSentence extends Span {
  /** Without markers; same length, same places. */
  readonly text: string;
  readonly markers: readonly WrittenMarker[];
  readonly kind: "statement" | "code" | "heading" | "lead-in" | "question";
}

/** A sentence and where the text after it begins. Without a sentence: white space that is let go. */
interface Cut {
  readonly sentence: AnswerSentence | undefined;
  readonly until: number;
}

/** How far one look sees: to where the text ends so far, to the bound of a sentence, or not so far. */
type Reach = "end" | "bound" | "part";

const MARKERS = /\[\^?(\d{1,3}(?:\s*[,;]\s*\^?\d{1,3})*)\]|【(\d{1,3})[^【】]{0,200}】/g;
/** A marker that has only begun to arrive. */
const BEGUN = /(?:\[\^?[\d,;\s^]*|【[^【】]{0,200})$/;

/** What goes on for so long without an end is cut between two words, and the rest is a sentence of its own. */
const LONGEST = 4_000;
/** The first look for the end of a sentence sees so much, each further one twice as much: most sentences are short. */
const FIRST_LOOK = 128;
/** A sentence that is longer is looked at again only when it has grown by an eighth. */
const LONG = 512;

/**
 * Cuts an answer into sentences while it grows. Each is given once, when it is certain that it has ended.
 * The work is in proportion to the text, in pieces of whatever size it comes: no sentence is longer than `LONGEST`,
 * and nothing beyond is read for it. Only a block of code is one whole, however long.
 */
export function createSentenceCutter() {
  let rest = "";
  let done = 0;
  /** So much of the rest was seen to have no end yet. */
  let seen = 0;
  /** A block of code that is not closed: what closes it, and the last characters, with which that may have begun. */
  let open: { readonly close: string; readonly tail: string } | undefined;

  function look(final: boolean): Cut | undefined {
    for (let size = Math.max(FIRST_LOOK, 2 * seen); ; size *= 2) {
      const view = rest.slice(0, Math.min(size, LONGEST));
      const reach = reachOf(view);
      const text = mask(view);
      const fence = /^\s*(```|~~~)/.exec(text);
      if (fence?.[1] !== undefined) return code(fence[0].length, fence[1], final);
      const cut = cutOne(view, text, reach, final);
      if (cut !== undefined || reach !== "part") return cut;
    }
  }

  function reachOf(view: string): Reach {
    if (view.length === rest.length) return "end";
    return view.length === LONGEST ? "bound" : "part";
  }

  function cutOne(view: string, text: string, reach: Reach, final: boolean): Cut | undefined {
    const limit = beforeFence(text);
    const [span, following] = sentences(text, 0, limit);
    if (span === undefined) {
      const begun = view.search(BEGUN);
      return reach === "bound" ? { sentence: undefined, until: begun > 0 ? begun : view.length } : undefined;
    }
    if (reach === "bound" && following === undefined && limit === view.length) {
      const until = lastWord(text, span.start);
      return {
        sentence: sentence(view, text, { ...span, end: text.slice(0, until).trimEnd().length }, until),
        until,
      };
    }
    const shown = following === undefined ? "" : text.slice(following.start, following.end);
    // A sentence has ended when the next one shows its first letter; a marker may still stand between them.
    // After a number only a letter tells whether the sentence goes on, if it can still be had by seeing more.
    const ended =
      reach === "bound" ||
      (reach === "end" && final) ||
      limit < view.length ||
      (reach === "end" ? /[\p{L}\p{N}]/u : /\p{L}/u).test(shown);
    if (!ended) return undefined;
    const until = following?.start ?? Math.max(span.end, limit);
    return { sentence: sentence(view, text, span, until), until };
  }

  /** A block of code at the very beginning, its whole; nothing while its end is not there. */
  function code(after: number, mark: string, final: boolean): Cut | undefined {
    const close = `\n${mark}`;
    const closing = rest.indexOf(close, after);
    if (closing === -1 && !final) {
      open = { close, tail: rest.slice(1 - close.length) };
      return undefined;
    }
    const view = closing === -1 ? rest : rest.slice(0, closing + close.length);
    const text = mask(view);
    const span = { start: after - mark.length, end: text.trimEnd().length };
    return { sentence: sentence(view, text, span, span.end, true), until: span.end };
  }

  function sentence(view: string, text: string, span: Span, until: number, isCode = false): AnswerSentence {
    const markers = [...readMarkers(view.slice(0, until), done)];
    const end = Math.max(done + span.end, ...markers.map((marker) => marker.end));
    const own = text.slice(span.start, span.end);
    return { start: done + span.start, end, text: own, markers, kind: kindOf(own, isCode) };
  }

  return {
    /** More of the answer. It is only kept: the work is done by `next`. */
    push(delta: string): void {
      rest += delta;
      if (open === undefined) return;
      const { close } = open;
      const tail = open.tail + delta;
      open = tail.includes(close) ? undefined : { close, tail: tail.slice(1 - close.length) };
    },
    /** The next sentence that has ended; with `final`, whatever is left. */
    next(final = false): AnswerSentence | undefined {
      for (;;) {
        const grown = rest.length > (seen < LONG ? seen : seen * 1.125);
        if (!final && (open !== undefined || !grown)) return undefined;
        const cut = look(final);
        if (cut === undefined) {
          seen = rest.length;
          return undefined;
        }
        rest = rest.slice(cut.until);
        done += cut.until;
        seen = 0;
        if (cut.sentence !== undefined) return cut.sentence;
      }
    },
  };
}

/** The text with spaces for its markers, also for one that has only begun to arrive. */
function mask(text: string): string {
  return text
    .replace(MARKERS, (marker) => " ".repeat(marker.length))
    .replace(BEGUN, (begun) => " ".repeat(begun.length));
}

function* readMarkers(text: string, offset: number): Generator<WrittenMarker> {
  for (const found of text.matchAll(MARKERS)) {
    const start = offset + found.index;
    const end = start + found[0].length;
    for (const [number] of (found[1] ?? found[2] ?? "").matchAll(/\d+/g))
      yield { start, end, n: Number(number) };
  }
}

function beforeFence(text: string): number {
  const found = /\n[ \t]*(?:```|~~~)/.exec(text);
  return found === null ? text.length : found.index + 1;
}

/** Where the last word of a text begins; the end of the text when that word is most of it. */
function lastWord(text: string, from: number): number {
  const end = text.trimEnd().length;
  let at = end;
  while (at > 0 && !/\s/.test(text.charAt(at - 1))) at -= 1;
  if (at > Math.max(from, text.length / 2)) return at;
  // A pair of surrogates is one character.
  return end - 1 > from && /[\uD800-\uDBFF]/.test(text.charAt(end - 1)) ? end - 1 : end;
}

function kindOf(text: string, code: boolean): AnswerSentence["kind"] {
  if (code) return "code";
  if (/^#{1,6}\s/.test(text) || /^\*\*[^*]{1,80}\*\*:?$/.test(text)) return "heading";
  if (text.endsWith("?")) return "question";
  return /:\**$/.test(text) ? "lead-in" : "statement";
}
