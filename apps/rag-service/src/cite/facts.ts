import { isStopWord, plain, words } from "../retrieve/words.ts";

/** What a sentence says beside the words of the question. */
export interface Claim {
  /** Telling words by form, once each. */
  readonly words: ReadonlySet<string>;
  /** Numbers in one notation: "1,200", "1200" and "twelve hundred" aside, "3" and "three" are the same. */
  readonly numbers: ReadonlySet<string>;
  /** Forms of capitalised words inside the sentence: they name something. */
  readonly names: ReadonlySet<string>;
}

/** Words with which an answer speaks about its sources or itself. */
const ABOUT_SOURCES: ReadonlySet<string> = new Set(
  "yes no ok okay sure certainly according source sources text texts passage passages document documents state states stated mention mentions mentioned say says said answer question become becomes became provided following however additionally overall therefore".split(
    " ",
  ),
);

const NUMBER = /\d[\d.,' ]*\d|\d/g;
const SPELLED = [
  "zero",
  "one",
  "two",
  "three",
  "four",
  "five",
  "six",
  "seven",
  "eight",
  "nine",
  "ten",
  "eleven",
  "twelve",
];
const SPELLED_OUT = new Map<string, string>([
  ...SPELLED.map((word, value) => [word, String(value)] as const),
  ["first", "1"],
  ["second", "2"],
  ["third", "3"],
  ["once", "1"],
  ["twice", "2"],
  ["dozen", "12"],
]);

export function readClaim(written: string): Claim {
  const sentence = withDigits(written);
  const telling = new Set<string>();
  const names = new Set<string>();
  const numbers = readNumbers(sentence);
  let first = true;
  for (const word of words(sentence)) {
    const isNumber = /^\d+$/.test(word.text);
    if (
      !isNumber &&
      !isStopWord(word.text) &&
      !ABOUT_SOURCES.has(plain(word.text)) &&
      (word.form.length > 1 || /\p{Lo}/u.test(word.text))
    ) {
      telling.add(word.form);
      if (!first && /^\p{Lu}/u.test(word.text) && !SPELLED_OUT.has(plain(word.text))) names.add(word.form);
    }
    first = false;
  }
  return { words: telling, numbers, names };
}

const TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const WRITTEN_TENS = new RegExp(
  `\\b(${TENS.join("|")})(?:[- ](${SPELLED.slice(1, 10).join("|")}))?\\b`,
  "gi",
);

/** "thirty-one" as "31", and the digits of every script as those of this one. */
function withDigits(text: string): string {
  const latin = text.replace(/[^\P{Nd}\d]/gu, (digit) => String(valueOf(digit)));
  return latin.replace(WRITTEN_TENS, (_written, tens: string, ones?: string) => {
    const unit = ones === undefined ? 0 : SPELLED.indexOf(ones.toLowerCase());
    return String((TENS.indexOf(tens.toLowerCase()) + 2) * 10 + unit);
  });
}

/** Digits stand in their alphabets from zero to nine; those that are only a font's are Latin ones when composed. */
function valueOf(digit: string): number {
  const composed = digit.normalize("NFKC");
  if (/^\d$/.test(composed)) return Number(composed);
  const point = digit.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(point - value - 1))) value += 1;
  return value;
}

/** The numbers of a text, whether written in digits or as small words. */
export function readNumbers(written: string): ReadonlySet<string> {
  const text = withDigits(written);
  const numbers = new Set<string>();
  for (const [digits] of text.matchAll(NUMBER)) for (const number of readDigits(digits)) numbers.add(number);
  for (const word of words(text)) {
    const value = SPELLED_OUT.get(plain(word.text));
    // "one" and the ordinals are often no number at all: nobody has to prove them.
    if (value !== undefined && !["one", "first", "second", "once"].includes(plain(word.text)))
      numbers.add(value);
  }
  return numbers;
}

/** For the side that is searched: every number in it, the small words that need no proof included. */
export function readAllNumbers(written: string): ReadonlySet<string> {
  const text = withDigits(written);
  const numbers = new Set(readNumbers(text));
  for (const word of words(text)) {
    const value = SPELLED_OUT.get(plain(word.text));
    if (value !== undefined) numbers.add(value);
    // "5kg" and "v2" hold numbers, too.
    if (/\p{L}/u.test(word.text)) {
      for (const [digits] of word.text.matchAll(/\d+/g)) numbers.add(trimZeros(digits));
    }
  }
  return numbers;
}

function* readDigits(written: string): Generator<string> {
  const grouped = /^\d{1,3}(?:[,.' ]\d{3})+$/.test(written);
  if (grouped && !written.startsWith("0")) {
    yield trimZeros(written.replace(/\D/g, ""));
    return;
  }
  const decimal = /^(\d+)[.,](\d+)$/.exec(written);
  if (decimal?.[1] !== undefined && decimal[2] !== undefined) {
    const fraction = decimal[2].replace(/0+$/, "");
    yield trimZeros(decimal[1]) + (fraction === "" ? "" : `.${fraction}`);
    return;
  }
  for (const [digits] of written.matchAll(/\d+/g)) yield trimZeros(digits);
}

function trimZeros(digits: string): string {
  return digits.replace(/^0+(?=\d)/, "");
}
