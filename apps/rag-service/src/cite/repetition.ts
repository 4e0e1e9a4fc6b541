import { words } from "../retrieve/words.ts";

/** Runs of three words: of this many or more, at least this share must be said for the first time. */
const ENOUGH_RUNS = 8;
const NEW_SHARE = 0.6;

/** A model that is caught in a loop says the same run of words again and again: that states nothing. */
export function repeatsItself(sentence: string): boolean {
  const forms = [...words(sentence)].map(({ form }) => form);
  const runs = forms.slice(2).map((form, at) => `${forms[at] ?? ""} ${forms[at + 1] ?? ""} ${form}`);
  if (runs.length >= ENOUGH_RUNS && new Set(runs).size < runs.length * NEW_SHARE) return true;
  for (let length = 1; length <= 8; length += 1) {
    // One after the other: three times from two words on; a longer run says nothing new the second time.
    const times = length >= 4 ? 2 : 3;
    let same = 0;
    for (let at = length; at < forms.length; at += 1) {
      same = forms[at] === forms[at - length] ? same + 1 : 0;
      // Digits may repeat: "1 1 1" in a telephone number.
      if (
        same >= length * (times - 1) &&
        forms.slice(at - length + 1, at + 1).some((form) => /\p{L}/u.test(form))
      )
        return true;
    }
  }
  return false;
}
