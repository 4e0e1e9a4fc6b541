/** Reads chunks that differ from an earlier one in their text alone without parsing them. */
export interface AlikeChunks {
  /** The text of a chunk that is like the one learnt from, or `undefined`. */
  textOf(data: string): string | undefined;
  /** `data` was parsed, and carries `text` and nothing else of interest. */
  learn(data: string, text: string): void;
}

/** So many chunks in a row that are not alike: the server changes something with each, and there is nothing to learn. */
const PATIENCE = 8;

/**
 * Parsing the frame of each token takes most of the time that a stream costs, and the frame is always the same. Around
 * a text without quotes and escapes it can be compared instead: what comes between the same two halves, and has neither
 * quotes nor escapes nor control characters, can be nothing but the text in the same place.
 */
export function createAlikeChunks(): AlikeChunks {
  let before = "";
  let after = "";
  let misses = 0;

  return {
    textOf(data) {
      if (before === "" || data.length <= before.length + after.length) return undefined;
      if (!data.startsWith(before) || !data.endsWith(after)) return undefined;
      const text = data.slice(before.length, data.length - after.length);
      if (isSpecial(text)) return undefined;
      misses = 0;
      return text;
    },
    learn(data, text) {
      if (misses >= PATIENCE || text === "" || isSpecial(text)) return;
      misses += 1;
      const at = data.indexOf(MARK);
      if (at === -1) return;
      const start = data.indexOf('"', at + MARK.length) + 1;
      const end = start + text.length;
      if (data.slice(start, end) !== text || data[end] !== '"') return;
      before = flat(data.slice(0, start));
      after = flat(data.slice(end));
      if (!isFrame(before, after)) before = "";
    },
  };
}

const MARK = '"content":';
/** A copy of its own: a slice of a whole read keeps that in memory, and takes twenty times as long to compare. */
const flat = (text: string): string => decoder.decode(encoder.encode(text));

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Whether it has what a JSON text must escape. A loop, as a regular expression takes twice as long for the few letters of a token. */
function isSpecial(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < SPACE || code === QUOTE || code === BACKSLASH) return true;
  }
  return false;
}

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether another text between the two halves arrives as the text of the only choice. */
function isFrame(before: string, after: string): boolean {
  try {
    const chunk = JSON.parse(`${before}PROBE${after}`) as {
      choices?: { delta?: { content?: unknown } }[];
    };
    return chunk.choices?.length === 1 && chunk.choices[0]?.delta?.content === "PROBE";
  } catch {
    return false;
  }
}
