/** How a tokenizer treats a token: pieces of bytes, a mark that only a template can write, or literal text. */
export type TokenKind = "normal" | "control" | "user-defined" | "unused";

export interface Token {
  /** The string in the vocabulary: byte characters for `normal`, the literal text for the others. Unique. */
  readonly string: string;
  /** What it writes. */
  readonly text: string;
  readonly kind: TokenKind;
}

export interface Vocabulary {
  readonly tokens: readonly Token[];
  /** The id of a control token or of literal text, when there is one. */
  find(text: string): number | undefined;
  /** The id of a mark that must be there. */
  idOf(mark: string): number;
  /** Adds a token and returns its id; a text that is there already keeps its id. */
  add(text: string, kind: "control" | "user-defined"): number;
  /** The ids that write this text: one, or one for each byte where a whole token cannot exist. */
  spell(text: string): readonly number[];
}

export const END_OF_TEXT = "<|endoftext|>";
export const TURN_START = "<|im_start|>";
export const TURN_END = "<|im_end|>";
/** The marks of a turn are single tokens, so that "a new turn begins" is never a matter of several steps. */
export const USER_TURN = "<|im_start|>user\n";
export const ASSISTANT_TURN = "<|im_start|>assistant\n";

/** GPT-2's table: a visible character for each of the 256 bytes. */
export const BYTE_CHARACTERS: readonly string[] = byteCharacters();

/** A byte-level tokenizer without any merge is a special case in some loaders; bytes 0 and 1 meet in no text. */
export const MERGES: readonly (readonly [string, string])[] = [["\u0100", "\u0101"]];

/** A byte-level vocabulary: 256 bytes and the marks of ChatML; any text can be added as a token. */
export function createVocabulary(): Vocabulary {
  const tokens: Token[] = [];
  const strings = new Map<string, number>();

  const push = (token: Token): number => {
    const id = tokens.length;
    // llama.cpp aborts the whole process on a vocabulary with two equal strings.
    if (strings.has(token.string))
      throw new Error(`The vocabulary has ${JSON.stringify(token.string)} already.`);
    strings.set(token.string, id);
    tokens.push(token);
    return id;
  };

  const find = (text: string): number | undefined => {
    const id = strings.get(text);
    return id !== undefined && tokens[id]?.text === text ? id : undefined;
  };

  const add = (text: string, kind: "control" | "user-defined"): number =>
    find(text) ?? push({ string: text, text, kind });

  for (const [byte, character] of BYTE_CHARACTERS.entries()) {
    // Only the bytes of ASCII are text of their own; the others are parts of characters.
    push({ string: character, text: byte < 128 ? String.fromCharCode(byte) : "", kind: "normal" });
  }
  for (const [left, right] of MERGES) push({ string: left + right, text: "\u0000\u0001", kind: "normal" });
  for (const mark of [END_OF_TEXT, TURN_START, TURN_END, USER_TURN, ASSISTANT_TURN]) add(mark, "control");

  return {
    tokens,
    find,
    idOf(mark) {
      const id = find(mark);
      if (id === undefined) throw new Error(`The vocabulary lacks ${JSON.stringify(mark)}.`);
      return id;
    },
    add,
    spell(text) {
      const taken = strings.get(text);
      if (taken === undefined || tokens[taken]?.text === text) return [add(text, "user-defined")];
      return [...Buffer.from(text, "utf8")].map((byte) => strings.get(BYTE_CHARACTERS[byte] ?? "") ?? 0);
    },
  };
}

function byteCharacters(): string[] {
  const visible = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(visible(byte) ? byte : next++));
}
