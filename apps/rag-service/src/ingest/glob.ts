// Patterns for paths inside a folder, by an algorithm of our own: what compiles a pattern to a regular expression, as
// `matchesGlob` of node:path does, can be kept busy for hours by one pattern of thirty characters. Here the work for one
// path is at most its length times the length of the patterns.
//
//   *        any characters of one name, or none      [a-z]  one of these characters; [!a-z] or [^a-z] none of them
//   ?        one character                            {a,b}  either; may hold others, and slashes
//   **       as a whole name: any folders, or none    {1..9} each number, or each letter of {a..e}
//   ** last  everything below, not the folder itself  \      the same as a slash
//
// All else stands for itself, and so does a bracket or a brace that is not closed. Groups such as !(a) and classes such as
// [:alpha:] are refused. The whole path has to fit. Hidden names are not treated apart: they are never listed.
import { readBraces } from "./braces.ts";

/** Limits of one list of patterns. */
export const GLOB_LIMITS = { patterns: 100, length: 500, variants: 500, characters: 5_000 } as const;

/** Tells of a path whether one of the patterns fits it. Throws for patterns that `globFault` refuses. */
export function createGlobs(patterns: readonly string[], ignoreCase: boolean) {
  const { variants, fault } = readPatterns(patterns);
  if (fault !== undefined) throw new RangeError(fault);
  const fold = (text: string) => (ignoreCase ? text.toLowerCase() : text);
  const globs = variants.map((variant) => readGlob(fold(variant)));
  return (path: string): boolean => {
    const names = fold(path)
      .split("/")
      .map((name) => Array.from(name));
    return globs.some((glob) => fits(glob, names, (tokens, name) => fits(tokens, name, accepts)));
  };
}

/** What is wrong with patterns, if anything is. */
export function globFault(patterns: readonly string[]): string | undefined {
  return readPatterns(patterns).fault;
}

const MANY = Symbol("many");
const ONE = Symbol("one");

interface CharacterSet {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [low: number, high: number])[];
}
type Token = string | typeof ONE | CharacterSet;
/** A name is a list of tokens with `*` among them, and a path a list of names with `**` among them. */
type Sequence<Item> = readonly (Item | typeof MANY)[];

function readPatterns(patterns: readonly string[]): { variants: readonly string[]; fault?: string } {
  const refuse = (fault: string) => ({ variants: [], fault });
  if (patterns.length > GLOB_LIMITS.patterns)
    return refuse(`there are more than ${GLOB_LIMITS.patterns} patterns`);
  const variants: string[] = [];
  let characters = 0;
  for (const pattern of patterns) {
    if (pattern.length > GLOB_LIMITS.length)
      return refuse(`a pattern has more than ${GLOB_LIMITS.length} characters`);
    const written = readBraces(pattern.replaceAll("\\", "/"), GLOB_LIMITS.variants);
    if (written === undefined)
      return refuse(`the braces of "${pattern}" stand for more than ${GLOB_LIMITS.variants} patterns`);
    characters += written.join("").length;
    if (characters > GLOB_LIMITS.characters)
      return refuse(
        `the patterns have more than ${GLOB_LIMITS.characters} characters once their braces are written out`,
      );
    if (written.some((variant) => /[!?*+@]\([^)]*\)/.test(variant)))
      return refuse(`"${pattern}" has a group: write {a,b}, or [(] for a parenthesis`);
    if (written.some((variant) => /\[:[a-z]+:\]/.test(variant)))
      return refuse(`"${pattern}" has a named class: write the characters, such as [a-z]`);
    variants.push(...written);
  }
  return { variants };
}

function readGlob(variant: string): Sequence<Sequence<Token>> {
  const names = variant.split(/\/+/).filter((name) => name !== ".");
  // Everything below a folder is any folders, and one more name.
  if (names.at(-1) === "**") names.push("*");
  return names.map((name) => (name === "**" ? MANY : readName(Array.from(name))));
}

function readName(characters: readonly string[]): Sequence<Token> {
  const tokens: (Token | typeof MANY)[] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? "";
    const end = character === "[" ? endOfSet(characters, at) : -1;
    if (end !== -1) {
      tokens.push(readSet(characters.slice(at + 1, end)));
      at = end;
    } else if (character === "*") tokens.push(MANY);
    else tokens.push(character === "?" ? ONE : character);
  }
  return tokens;
}

/** The first character of a set may be the bracket that else ends it. */
function endOfSet(characters: readonly string[], start: number): number {
  const first = isNegation(characters[start + 1]) ? start + 2 : start + 1;
  return characters.indexOf("]", first + 1);
}

function readSet(inside: readonly string[]): CharacterSet {
  const negated = isNegation(inside[0]);
  const codes = (negated ? inside.slice(1) : inside).map((character) => character.codePointAt(0) ?? 0);
  const ranges: [number, number][] = [];
  for (let at = 0; at < codes.length; at += 1) {
    const low = codes[at] ?? 0;
    const high = codes[at + 1] === 0x2d ? codes[at + 2] : undefined;
    ranges.push([low, high ?? low]);
    if (high !== undefined) at += 2;
  }
  return { negated, ranges };
}

function isNegation(character: string | undefined): boolean {
  return character === "!" || character === "^";
}

/** Only the last `MANY` is ever given more: what an earlier one could take, the last one can take as well. */
function fits<Item, Thing>(
  sequence: Sequence<Item>,
  things: readonly Thing[],
  fit: (item: Item, thing: Thing) => boolean,
): boolean {
  let at = 0;
  let many = -1;
  let taken = 0;
  let index = 0;
  while (index < things.length) {
    const item = sequence[at];
    if (item === MANY) {
      many = at;
      taken = index;
      at += 1;
    } else if (item !== undefined && fit(item, things[index] as Thing)) {
      at += 1;
      index += 1;
    } else if (many !== -1) {
      taken += 1;
      index = taken;
      at = many + 1;
    } else return false;
  }
  while (sequence[at] === MANY) at += 1;
  return at === sequence.length;
}

function accepts(token: Token, character: string): boolean {
  if (token === ONE) return true;
  if (typeof token === "string") return token === character;
  const code = character.codePointAt(0) ?? 0;
  return token.negated !== token.ranges.some(([low, high]) => low <= code && code <= high);
}
