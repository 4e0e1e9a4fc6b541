/** As in the index (FTS5's `porter`), which leaves longer ones as they are. */
const LONGEST = 64;

/** Porter's stemmer for English, the same as the index uses, so that both agree on what is one word. */
export function stem(word: string): string {
  if (word.length < 3 || word.length > LONGEST || !/^[a-z]+$/.test(word)) return word;
  let w = word;
  w = step1(w);
  w = replaceSuffix(w, STEP2, (root) => measure(root) > 0);
  w = replaceSuffix(w, STEP3, (root) => measure(root) > 0);
  w = replaceSuffix(
    w,
    STEP4,
    (root, suffix) => measure(root) > 1 && (suffix !== "ion" || /[st]$/.test(root)),
  );
  if (w.endsWith("e")) {
    const root = w.slice(0, -1);
    const size = measure(root);
    if (size > 1 || (size === 1 && !endsShort(root))) w = root;
  }
  if (w.endsWith("ll") && measure(w) > 1) w = w.slice(0, -1);
  return w;
}

const STEP2 = suffixes(
  "ational:ate tional:tion enci:ence anci:ance izer:ize bli:ble alli:al entli:ent eli:e ousli:ous ization:ize ation:ate " +
    "ator:ate alism:al iveness:ive fulness:ful ousness:ous aliti:al iviti:ive biliti:ble logi:log",
);
const STEP3 = suffixes("icate:ic ative: alize:al iciti:ic ical:ic ful: ness:");
const STEP4 = suffixes(
  "ement: ance: ence: able: ible: ment: ant: ent: ion: ism: ate: iti: ous: ive: ize: al: er: ic: ou:",
);

function step1(word: string): string {
  let w = word;
  if (w.endsWith("sses") || w.endsWith("ies")) w = w.slice(0, -2);
  else if (w.endsWith("s") && !w.endsWith("ss")) w = w.slice(0, -1);

  if (w.endsWith("eed")) {
    if (measure(w.slice(0, -3)) > 0) w = w.slice(0, -1);
  } else {
    const ending = ["ed", "ing"].find((one) => w.endsWith(one));
    const root = w.slice(0, w.length - (ending?.length ?? 0));
    if (ending !== undefined && hasVowel(root)) w = afterEdOrIng(root);
  }
  if (w.endsWith("y") && hasVowel(w.slice(0, -1))) w = `${w.slice(0, -1)}i`;
  return w;
}

function afterEdOrIng(root: string): string {
  if (/(?:at|bl|iz)$/.test(root)) return `${root}e`;
  if (/([^aeiou])\1$/.test(root) && !/[lsz]$/.test(root) && isConsonant(root, root.length - 1))
    return root.slice(0, -1);
  if (measure(root) === 1 && endsShort(root)) return `${root}e`;
  return root;
}

function suffixes(table: string): readonly (readonly [string, string])[] {
  return table.split(" ").map((row) => {
    const [from = "", to = ""] = row.split(":");
    return [from, to] as const;
  });
}

/** The longest suffix that fits decides, whether or not its condition holds. */
function replaceSuffix(
  word: string,
  table: readonly (readonly [string, string])[],
  allowed: (root: string, suffix: string) => boolean,
): string {
  let best: readonly [string, string] | undefined;
  for (const row of table) if (word.endsWith(row[0]) && row[0].length > (best?.[0].length ?? 0)) best = row;
  if (best === undefined) return word;
  const root = word.slice(0, word.length - best[0].length);
  return allowed(root, best[0]) ? root + best[1] : word;
}

function isConsonant(word: string, at: number): boolean {
  const letter = word.charAt(at);
  if ("aeiou".includes(letter)) return false;
  return letter !== "y" || at === 0 || !isConsonant(word, at - 1);
}

function hasVowel(word: string): boolean {
  for (let at = 0; at < word.length; at++) if (!isConsonant(word, at)) return true;
  return false;
}

/** How many times a vowel is followed by a consonant. */
function measure(word: string): number {
  let count = 0;
  let vowel = false;
  for (let at = 0; at < word.length; at++) {
    const consonant = isConsonant(word, at);
    if (consonant && vowel) count++;
    vowel = !consonant;
  }
  return count;
}

/** Consonant, vowel, consonant, the last not w, x or y. */
function endsShort(word: string): boolean {
  const last = word.length - 1;
  return (
    last >= 2 &&
    isConsonant(word, last) &&
    !isConsonant(word, last - 1) &&
    isConsonant(word, last - 2) &&
    !"wxy".includes(word.charAt(last))
  );
}
