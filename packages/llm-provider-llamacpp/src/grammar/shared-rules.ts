import type { StringFormat } from "./shape.ts";

const DAY = `("0" [1-9] | "1" [0-9] | "2" [0-8])`;
const FOURTH = `("0" [48] | [2468] [048] | [13579] [26])`;
const LEAP_YEAR = `([0-9]{2} ${FOURTH} | (${FOURTH} | "00") "00")`;
const MONTH_AND_DAY = `( ("0" [1-9] | "1" [0-2]) "-" ${DAY} | ("0" [13-9] | "1" [0-2]) "-" ("29" | "30") | ("0" [13578] | "1" [02]) "-31" )`;
const DATE = `([0-9]{4} "-" ${MONTH_AND_DAY} | ${LEAP_YEAR} "-02-29")`;
const CLOCK = `("0" [0-9] | "1" [0-9] | "2" [0-3]) ":" [0-5] [0-9]`;
const TIME = `${CLOCK} ":" [0-5] [0-9] ("." [0-9]{1,6})? ("Z" | ("+" | "-") ${CLOCK})`;

/** Rules for the formats, quotes included. */
export const FORMAT_RULES: Readonly<Record<StringFormat, string>> = {
  date: `"\\"" ${DATE} "\\""`,
  time: `"\\"" ${TIME} "\\""`,
  "date-time": `"\\"" ${DATE} "T" ${TIME} "\\""`,
  uuid: `"\\"" [0-9a-f]{8} ("-" [0-9a-f]{4}){3} "-" [0-9a-f]{12} "\\""`,
};

/** Rules that every grammar may use. */
export const SHARED = {
  ws: ` | " " | "\\n" [ \\t]{0,24}`,
  // No \u escapes: two of them may be one character, and then lengths would be miscounted.
  char: `[^"\\\\\\x00-\\x1F\\x7F\\uD800-\\uDFFF\\U00110000-\\U001FFFFF] | "\\\\" ["\\\\/bfnrt]`,
  string: `"\\"" char* "\\""`,
  number: `"-"? ("0" | [1-9] [0-9]{0,14}) ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?`,
  value: `object | array | string | number | "true" | "false" | "null"`,
  object: `"{" ws (string ":" " "? value ("," ws string ":" " "? value)* ws)? "}"`,
  array: `"[" ws (value ("," ws value)* ws)? "]"`,
} as const;

/** Which of them need which. */
export const NEEDS: Readonly<Partial<Record<keyof typeof SHARED, readonly (keyof typeof SHARED)[]>>> = {
  string: ["char"],
  value: ["object", "array", "string", "number"],
  object: ["ws", "string", "value"],
  array: ["ws", "value"],
};
