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

const MARKERS = /\[\^?(\d{1,3}(?:\s*[,;]\s*\^?\d{1,3})*)\]|【(\d{1,3})[^】]*】/g;

/** Cuts an answer into sentences while it grows. Each is given once, when it is certain that it has ended. */
export function createSentenceCutter() {
  let text = "";
  let done = 0;

  function* cut(final: boolean): Generator<AnswerSentence> {
    for (;;) {
      const next = nextSentence(final);
      if (next === undefined) return;
      done = next.until;
      yield next.sentence;
    }
  }

  function nextSentence(
    final: boolean,
  ): { readonly sentence: AnswerSentence; readonly until: number } | undefined {
    const rest = mask(text.slice(done));
    const code = fence(rest, final);
    if (code === "open") return undefined;
    const spans = code === undefined ? sentences(rest, 0, beforeFence(rest)) : [code];
    const [span, following] = spans;
    if (span === undefined) return undefined;
    // A sentence has ended when the next one shows its first letter; a marker may still stand between them.
    const ended =
      final ||
      code !== undefined ||
      beforeFence(rest) < rest.length ||
      (following !== undefined && /[\p{L}\p{N}]/u.test(rest.slice(following.start, following.end)));
    if (!ended) return undefined;
    const until = following?.start ?? Math.max(span.end, code === undefined ? beforeFence(rest) : span.end);
    const markers = [...readMarkers(text.slice(done, done + until), done)];
    const end = Math.max(done + span.end, ...markers.map((marker) => marker.end));
    const own = rest.slice(span.start, span.end);
    const sentence = {
      start: done + span.start,
      end,
      text: own,
      markers,
      kind: kindOf(own, code !== undefined),
    };
    return { sentence, until: done + until };
  }

  return {
    push(delta: string): readonly AnswerSentence[] {
      text += delta;
      return [...cut(false)];
    },
    finish(): readonly AnswerSentence[] {
      return [...cut(true)];
    },
    text: () => text,
  };
}

/** The text with spaces for its markers, also for one that has only begun to arrive. */
function mask(text: string): string {
  return text
    .replace(MARKERS, (marker) => " ".repeat(marker.length))
    .replace(/(?:\[\^?[\d,;\s^]*|【[^】]*)$/, (begun) => " ".repeat(begun.length));
}

function* readMarkers(text: string, offset: number): Generator<WrittenMarker> {
  for (const found of text.matchAll(MARKERS)) {
    const start = offset + found.index;
    const end = start + found[0].length;
    for (const [number] of (found[1] ?? found[2] ?? "").matchAll(/\d+/g))
      yield { start, end, n: Number(number) };
  }
}

/** A code block at the very beginning: its whole, or `open` while its end is not there. */
function fence(text: string, final: boolean): Span | "open" | undefined {
  const opening = /^\s*(```|~~~)/.exec(text);
  const mark = opening?.[1];
  if (opening === null || mark === undefined) return undefined;
  const start = opening[0].length - mark.length;
  const closing = text.indexOf(`\n${mark}`, opening[0].length);
  if (closing === -1) return final ? { start, end: text.trimEnd().length } : "open";
  return { start, end: closing + 1 + mark.length };
}

function beforeFence(text: string): number {
  const found = /\n[ \t]*(?:```|~~~)/.exec(text);
  return found === null ? text.length : found.index + 1;
}

function kindOf(text: string, code: boolean): AnswerSentence["kind"] {
  if (code) return "code";
  if (/^#{1,6}\s/.test(text) || /^\*\*[^*]{1,80}\*\*:?$/.test(text)) return "heading";
  if (text.endsWith("?")) return "question";
  return /:\**$/.test(text) ? "lead-in" : "statement";
}
