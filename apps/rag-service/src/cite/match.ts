import { sentences, type Span } from "../chunk/sentences.ts";
import type { Embedder } from "../embedder.ts";
import { paragraphs } from "../extract/text.ts";
import { dot } from "../retrieve/dot.ts";
import { type Hit, inverseFrequency } from "../retrieve/search.ts";
import { normalise } from "../retrieve/vector.ts";
import { words } from "../retrieve/words.ts";
import type { Store } from "../store/store.ts";
import { type Claim, readAllNumbers, readClaim } from "./facts.ts";

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
/** A number that is found says as much as a rare word. */
const NUMBER_WEIGHT = 4;

interface Needs {
  /** Telling words and how much each counts. */
  readonly wanted: ReadonlyMap<string, number>;
  readonly numbers: readonly string[];
  readonly names: readonly string[];
}

interface Compared extends Match {
  /** All its numbers and names are there. */
  readonly provable: boolean;
  readonly forms: ReadonlySet<string>;
  /** Those that stand where its words are. */
  readonly numbers: ReadonlySet<string>;
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
  readonly parts: readonly Part[];
}

/** Finds the passages that say what a sentence says. Numbers and names must be found; words count by their rarity. */
export function createMatcher({ question, passages, embedder, idf, frequencies, signal }: MatcherOptions) {
  const asked = new Set([...words(question)].map(({ form }) => form));
  const askedNumbers = readAllNumbers(question);
  const prepared = passages.map(prepare);
  const weights = new Map<string, number>(idf);

  /** Best first; `undefined` when the sentence says nothing that could be looked for. */
  async function match(sentence: string): Promise<readonly Match[] | undefined> {
    const claim = readClaim(sentence);
    if (claim.words.size === 0 && claim.numbers.size === 0) return undefined;
    await learn([...claim.words]);
    signal?.throwIfAborted();

    const needs = needsOf(claim);
    const judged = await withSecondOpinion(
      sentence,
      prepared.map((candidate) => compare(candidate, needs)),
    );
    const sorted = judged.toSorted(
      (a, b) => Number(b.supports) - Number(a.supports) || b.support - a.support || a.passage.n - b.passage.n,
    );
    if (sorted[0]?.supports === true || sorted.length < 2) return sorted;
    return together(sorted, needs) ?? sorted;
  }

  /** What the question says already counts little, unless the sentence says nothing else. */
  function needsOf(claim: Claim): Needs {
    const fresh = [...claim.words].filter((form) => !asked.has(form));
    const numbers = [...claim.numbers].filter((number) => !askedNumbers.has(number));
    const repeats = fresh.length + numbers.length === 0;
    const wanted = new Map<string, number>();
    for (const form of claim.words) {
      const weight = weights.get(form) ?? 1;
      wanted.set(form, asked.has(form) && !repeats ? weight * ASKED_SHARE : weight);
    }
    return { wanted, numbers, names: [...claim.names].filter((form) => !asked.has(form)) };
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
        const concerns = [part, parts[at - 1], parts[at + 1]].some(
          (near) => near !== undefined && touches(needs, near.forms),
        );
        return concerns ? [...part.numbers] : [];
      }),
    );
    const provable =
      needs.numbers.every((number) => numbers.has(number)) &&
      needs.names.every((form) => candidate.forms.has(form));
    const before = parts[best - 1];
    const local = union(around[best] ?? candidate.forms, candidate.heading);
    const localNumbers = union(parts[best]?.numbers ?? numbers, before?.numbers ?? numbers);
    const base = 0.5 * share(needs, candidate.forms, numbers) + 0.5 * share(needs, local, localNumbers);
    return {
      passage,
      span,
      support: provable ? base : base * 0.5,
      supports: provable && base >= DOUBT,
      provable,
      forms: candidate.forms,
      numbers,
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

  /** Two passages that prove a sentence between them, each with a share of its own. */
  function together(sorted: readonly Compared[], needs: Needs): readonly Match[] | undefined {
    const few = sorted.slice(0, 4);
    for (const first of few) {
      for (const second of few) {
        if (first === second) continue;
        const forms = union(first.forms, second.forms);
        const numbers = union(first.numbers, second.numbers);
        const proved =
          needs.numbers.every((number) => numbers.has(number)) &&
          needs.names.every((form) => forms.has(form));
        const support = share(needs, forms, numbers);
        const gain = support - share(needs, first.forms, first.numbers);
        if (!proved || support < 0.75 || gain < 0.15 || share(needs, second.forms, second.numbers) < 0.4)
          continue;
        const main: Match = { ...first, support, supports: true };
        const rest = sorted.filter((match) => match !== first && match !== second);
        return [main, { ...second, support, supports: true, completes: main }, ...rest];
      }
    }
    return undefined;
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
    parts,
  };
}

function touches({ wanted }: Needs, forms: ReadonlySet<string>): boolean {
  return [...wanted.keys()].some((form) => forms.has(form));
}

function formsOf(text: string): ReadonlySet<string> {
  return new Set([...words(text)].map(({ form }) => form));
}

function union<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  return new Set([...a, ...b]);
}
