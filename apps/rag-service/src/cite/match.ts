import { sentences, type Span } from "../chunk/sentences.ts";
import type { Embedder } from "../embedder.ts";
import { paragraphs } from "../extract/text.ts";
import { dot } from "../retrieve/dot.ts";
import { type Hit, inverseFrequency } from "../retrieve/search.ts";
import { normalise } from "../retrieve/vector.ts";
import { words } from "../retrieve/words.ts";
import type { Store } from "../store/store.ts";
import { type Claim, readAllNumbers, readClaim } from "./facts.ts";
import { repeatsItself } from "./repetition.ts";

/** A passage that was in the prompt under the number `n`. */
export interface Passage extends Hit {
  readonly n: number;
}

/** How one passage stands to one sentence of the answer. */
export interface Match {
  readonly passage: Passage;
  /** The sentence of the passage that says it, by places in the passage. */
  readonly span: Span;
  /** 0 to 1. */
  readonly support: number;
  readonly supports: boolean;
  /** Supports only together with this other match. */
  readonly completes?: Match | undefined;
}

export interface MatcherOptions {
  readonly question: string;
  readonly passages: readonly Passage[];
  readonly embedder: Embedder | undefined;
  readonly idf: ReadonlyMap<string, number> | undefined;
  readonly frequencies: Store["wordFrequencies"] | undefined;
  readonly signal: AbortSignal | undefined;
}

/** From here on words alone are enough, below the lower bound nothing helps; between them the embedder has a say. */
const ENOUGH = 0.6;
const TOO_LITTLE = 0.35;
const DOUBT = 0.5;

/** What the question already says, relative to what the sentence adds. */
const ASKED_SHARE = 0.3;
/** The whole passage counts less than the sentence that says it and the one before. */
const WHOLE_SHARE = 0.3;
/** A sentence of the passage with this share of what is needed concerns the claim. */
const CONCERNS = 0.35;
/** A number that is found says as much as a rare word. */
const NUMBER_WEIGHT = 4;

/** Between two statements of one sentence. */
const STATEMENTS = /[,;]\s+|\s+(?:and|but|while|because)\s+/;
/** A place with less than this share of the words speaks of something else. */
const SOME_WORDS = 0.2;
/** A sentence that begins so speaks of what an earlier one names. */
const REFERS_BACK = /^\s*(?:it|its|they|their|them|he|his|she|her|this|these|that|those)\b/i;
const NONE: ReadonlySet<string> = new Set();

interface Needs {
  /** Telling words and how much each counts. */
  readonly wanted: ReadonlyMap<string, number>;
  readonly numbers: readonly string[];
  readonly names: readonly string[];
  readonly clauses: readonly Clause[];
  /** Its telling words in order. */
  readonly order: readonly string[];
}

interface Clause {
  readonly forms: ReadonlySet<string>;
  readonly negated: boolean;
}

interface Compared extends Match {
  /** All its numbers and names are there, and nothing is denied that it affirms. */
  readonly provable: boolean;
}

interface Part extends Span {
  readonly forms: ReadonlySet<string>;
  readonly numbers: ReadonlySet<string>;
}

interface Prepared {
  readonly passage: Passage;
  readonly forms: ReadonlySet<string>;
  readonly numbers: ReadonlySet<string>;
  readonly heading: ReadonlySet<string>;
  /** Words that are never written small. */
  readonly named: ReadonlySet<string>;
  readonly parts: readonly Part[];
}

/** Finds the passages that say what a sentence says. Numbers and names must be found; words count by their rarity. */
export function createMatcher({ question, passages, embedder, idf, frequencies, signal }: MatcherOptions) {
  const asked = new Set([...words(question)].map(({ form }) => form));
  const askedNumbers = readAllNumbers(question);
  const prepared = passages.map(prepare);
  const weights = new Map<string, number>(idf);

  /** Best first, none for a loop; `undefined` when the sentence says nothing that could be looked for. */
  async function match(sentence: string): Promise<readonly Match[] | undefined> {
    const claim = readClaim(sentence);
    if (claim.words.size === 0 && claim.numbers.size === 0) return undefined;
    if (repeatsItself(sentence)) return [];
    await learn([...claim.words]);
    signal?.throwIfAborted();

    const needs = needsOf(claim, sentence);
    const judged = await withSecondOpinion(
      sentence,
      prepared.map((candidate) => compare(candidate, needs)),
    );
    const sorted = judged.toSorted(
      (a, b) => Number(b.supports) - Number(a.supports) || b.support - a.support || a.passage.n - b.passage.n,
    );
    if (sorted[0]?.supports !== false) return sorted;
    return together(sentence, sorted) ?? sorted;
  }

  /** What the question says already counts little, unless the sentence says nothing else. */
  function needsOf(claim: Claim, sentence: string): Needs {
    const fresh = [...claim.words].filter((form) => !asked.has(form));
    const numbers = [...claim.numbers].filter((number) => !askedNumbers.has(number));
    const repeats = fresh.length + numbers.length === 0;
    const wanted = new Map<string, number>();
    for (const form of claim.words) {
      const weight = weights.get(form) ?? 1;
      wanted.set(form, asked.has(form) && !repeats ? weight * ASKED_SHARE : weight);
    }
    const names = [...claim.names].filter((form) => !asked.has(form));
    // A first word is capitalised anyway: it is a name when the passages never write it small.
    const [opening] = words(sentence);
    if (
      opening !== undefined &&
      fresh.includes(opening.form) &&
      prepared.some(({ named }) => named.has(opening.form))
    ) {
      names.push(opening.form);
    }
    return { wanted, numbers, names, clauses: clausesOf(sentence), order: [...claim.words] };
  }

  function compare(candidate: Prepared, needs: Needs): Compared {
    const { passage, parts } = candidate;
    const around = parts.map((part, at) => union(part.forms, parts[at - 1]?.forms ?? part.forms));
    let best = 0;
    let points = -1;
    parts.forEach((part, at) => {
      const own = share(needs, part.forms, part.numbers);
      // A fact may be spread over a sentence and the one before it.
      const near = share(needs, around[at] ?? part.forms, part.numbers);
      if (own + 0.5 * near > points) {
        points = own + 0.5 * near;
        best = at;
      }
    });
    const span = parts[best] ?? { start: 0, end: passage.text.length };
    // A number proves something only where the sentence's words are, not anywhere in the passage.
    const numbers = new Set(
      parts.flatMap((part, at) => {
        const concerns =
          at === best ||
          at === best - 1 ||
          share({ ...needs, numbers: [] }, part.forms, part.numbers) >= CONCERNS;
        return concerns ? [...part.numbers] : [];
      }),
    );
    const near = [best - 1, best, best + 1].flatMap((at) => parts[at] ?? []);
    const nearby = near.reduce((all, part) => union(all, part.forms), candidate.heading);
    const denied = deniesOtherwise(needs, passage.text.slice(span.start, span.end));
    const local = union(around[best] ?? candidate.forms, candidate.heading);
    const provable =
      needs.numbers.every((number) => numbers.has(number)) &&
      needs.names.every((form) => nearby.has(form)) &&
      speaksOf(needs, local) &&
      !changesSubject(needs, union(local, earlier(candidate, best))) &&
      !denied;
    const localNumbers = union(parts[best]?.numbers ?? numbers, parts[best - 1]?.numbers ?? numbers);
    const base =
      WHOLE_SHARE * share(needs, candidate.forms, numbers) +
      (1 - WHOLE_SHARE) * share(needs, local, localNumbers);
    return {
      passage,
      span,
      support: provable ? base : base * 0.5,
      supports: provable && base >= DOUBT,
      provable,
    };
  }

  async function withSecondOpinion(sentence: string, all: readonly Compared[]): Promise<readonly Compared[]> {
    const doubtful = all.filter(
      ({ provable, support }) => provable && support >= TOO_LITTLE && support < ENOUGH,
    );
    if (embedder === undefined || doubtful.length === 0) return all;
    try {
      const texts = [
        sentence,
        ...doubtful.map(({ passage, span }) =>
          passage.text.slice(span.start, Math.min(span.end, span.start + 1000)),
        ),
      ];
      const [own, ...others] = (await embedder.embed(texts, "document", { signal })).map((vector) =>
        normalise(vector, embedder),
      );
      if (own === undefined) return all;
      const opinions = new Map(doubtful.map((candidate, at) => [candidate, dot(own, others[at] ?? own)]));
      return all.map((candidate) => {
        const opinion = opinions.get(candidate);
        if (opinion === undefined) return candidate;
        const support = 0.7 * candidate.support + 0.3 * Math.max(0, opinion);
        return { ...candidate, support, supports: support >= DOUBT };
      });
    } catch {
      signal?.throwIfAborted();
      return all;
    }
  }

  /** A sentence of several statements is proved when each of them is, be it by another passage. */
  function together(sentence: string, sorted: readonly Compared[]): readonly Match[] | undefined {
    const statements = sentence.split(STATEMENTS).filter((part) => readClaim(part).words.size >= 2);
    if (statements.length < 2) return undefined;
    const proofs: Compared[] = [];
    for (const statement of statements) {
      const needs = needsOf(readClaim(statement), statement);
      const [best] = prepared
        .map((candidate) => compare(candidate, needs))
        .filter(({ supports }) => supports)
        .toSorted((a, b) => b.support - a.support);
      if (best === undefined) return undefined;
      if (!proofs.some(({ passage }) => passage === best.passage)) proofs.push(best);
    }
    const [first, ...others] = proofs;
    if (first === undefined) return undefined;
    const rest = sorted.filter(({ passage }) => !proofs.some((proof) => proof.passage === passage));
    return [first, ...others.map((other) => ({ ...other, completes: first })), ...rest];
  }

  /** The part of what is needed, by weight, that is there. */
  function share({ wanted, numbers }: Needs, forms: ReadonlySet<string>, known: ReadonlySet<string>): number {
    let total = 0;
    let found = 0;
    for (const [form, weight] of wanted) {
      total += weight;
      if (forms.has(form)) found += weight;
    }
    for (const number of numbers) {
      total += NUMBER_WEIGHT;
      if (known.has(number)) found += NUMBER_WEIGHT;
    }
    return total === 0 ? 0 : found / total;
  }

  /** It has some of the words, too: a number alone proves nothing. */
  function speaksOf(needs: Needs, forms: ReadonlySet<string>): boolean {
    return needs.wanted.size === 0 || share({ ...needs, numbers: [] }, forms, NONE) >= SOME_WORDS;
  }

  /**
   * What it begins with is said nowhere near, though another place speaks of it: the subject of one sentence was
   * joined to what another says. A word that no passage holds may be another name for what is meant.
   */
  function changesSubject({ order }: Needs, near: ReadonlySet<string>): boolean {
    const [subject] = order;
    if (subject === undefined || near.has(subject)) return false;
    const until = order.findIndex((form) => near.has(form));
    return order
      .slice(0, until < 0 ? order.length : until)
      .some((form) => asked.has(form) && prepared.some(({ forms }) => forms.has(form)));
  }

  async function learn(forms: readonly string[]): Promise<void> {
    const unknown = forms.filter((form) => !weights.has(form));
    if (unknown.length === 0) return;
    const known = await frequencies?.(unknown).catch(() => undefined);
    unknown.forEach((form, at) => {
      const frequency =
        known?.frequencies[at] ?? prepared.filter((candidate) => candidate.forms.has(form)).length;
      weights.set(form, inverseFrequency(frequency, Math.max(known?.windows ?? 0, prepared.length, 20)));
    });
  }

  return { match };
}

function prepare(passage: Passage): Prepared {
  const { text } = passage;
  const parts = paragraphs(text, 0, text.length)
    .flatMap(({ start, end }) => sentences(text, start, end))
    .map(({ start, end }): Part => {
      const sentence = text.slice(start, end);
      // The number of a section or of a list item is no fact.
      const numbers = readAllNumbers(sentence.replace(/^\(?\d{1,3}(?:\.\d{1,3})*[.)]\s/, ""));
      return { start, end, forms: formsOf(sentence), numbers };
    });
  const around = `${passage.title} ${passage.headingPath.join(" ")}`;
  const heading = formsOf(around);
  return {
    passage,
    forms: union(heading, formsOf(text)),
    numbers: new Set([...readAllNumbers(around), ...parts.flatMap((part) => [...part.numbers])]),
    heading,
    named: namesOf(text),
    parts,
  };
}

/** The words of the sentences that "it" and "they" lead back to. */
function earlier({ passage, parts }: Prepared, at: number): ReadonlySet<string> {
  let forms = NONE;
  for (let place = at; place > 0; place -= 1) {
    const part = parts[place];
    if (part === undefined || !REFERS_BACK.test(passage.text.slice(part.start, part.end))) break;
    forms = union(forms, parts[place - 1]?.forms ?? NONE);
  }
  return forms;
}

function namesOf(text: string): ReadonlySet<string> {
  const large = new Set<string>();
  const small = new Set<string>();
  for (const word of words(text)) (/^\p{Lu}/u.test(word.text) ? large : small).add(word.form);
  return new Set([...large].filter((form) => !small.has(form)));
}

/** One says "not" and the other does not, in the two clauses that share most. */
function deniesOtherwise({ clauses }: Needs, sentence: string): boolean {
  let most = 0;
  let denies = false;
  for (const theirs of clausesOf(sentence)) {
    for (const ours of clauses) {
      const shared = [...ours.forms].filter((form) => theirs.forms.has(form)).length;
      if (shared <= most) continue;
      most = shared;
      denies = ours.negated !== theirs.negated;
    }
  }
  return denies;
}

function clausesOf(sentence: string): readonly Clause[] {
  return sentence.split(/[;:,.]\s|\b(?:but|although|while|whereas|because|since)\b/).map((text) => ({
    forms: readClaim(text).words,
    negated: /\b(?:not|never|no|cannot|nobody)\b|n['’]t\b/i.test(text),
  }));
}

function formsOf(text: string): ReadonlySet<string> {
  return new Set([...words(text)].map(({ form }) => form));
}

function union<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  return new Set([...a, ...b]);
}
