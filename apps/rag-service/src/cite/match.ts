import { sentences, type Span } from "../chunk/sentences.ts";
import type { Embedder } from "../embedder.ts";
import { paragraphs } from "../extract/text.ts";
import { dot } from "../retrieve/dot.ts";
import { type Hit, inverseFrequency } from "../retrieve/search.ts";
import { normalise } from "../retrieve/vector.ts";
import { words } from "../retrieve/words.ts";
import type { Store } from "../store/store.ts";
import { readAllNumbers, readClaim } from "./facts.ts";

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
  readonly frequencies: Store["wordFrequencies"] | undefined;
  readonly signal: AbortSignal | undefined;
}

/** From here on words alone are enough, below the lower bound nothing helps; between them the embedder has a say. */
const ENOUGH = 0.6;
const TOO_LITTLE = 0.35;
const DOUBT = 0.5;

interface Part extends Span {
  readonly forms: ReadonlySet<string>;
}

interface Prepared {
  readonly passage: Passage;
  readonly forms: ReadonlySet<string>;
  readonly numbers: ReadonlySet<string>;
  readonly parts: readonly Part[];
}

/** Finds the passages that say what a sentence says. Numbers and names must be found; words count by their rarity. */
export function createMatcher({ question, passages, embedder, frequencies, signal }: MatcherOptions) {
  const asked = new Set([...words(question)].map(({ form }) => form));
  const askedNumbers = readAllNumbers(question);
  const prepared = passages.map(prepare);
  const weights = new Map<string, number>();

  /** Best first; `undefined` when the sentence says nothing that could be looked for. */
  async function match(sentence: string): Promise<readonly Match[] | undefined> {
    const claim = readClaim(sentence);
    const fresh = [...claim.words].filter((form) => !asked.has(form));
    const numbers = [...claim.numbers].filter((number) => !askedNumbers.has(number));
    const names = [...claim.names].filter((form) => !asked.has(form));
    if (claim.words.size === 0 && claim.numbers.size === 0) return undefined;
    // It only repeats the question: then all its words must be there.
    const needed = fresh.length + numbers.length === 0 ? [...claim.words] : fresh;
    await learn([...claim.words]);
    signal?.throwIfAborted();

    const all = prepared.map((candidate) => compare(candidate, needed, claim.words, numbers, names));
    const judged = await withSecondOpinion(sentence, all);
    const sorted = judged.toSorted(
      (a, b) => Number(b.supports) - Number(a.supports) || b.support - a.support || a.passage.n - b.passage.n,
    );
    if (sorted[0]?.supports === true || sorted.length < 2) return sorted;
    return together(sorted, needed, numbers, names) ?? sorted;
  }

  function compare(
    candidate: Prepared,
    needed: readonly string[],
    said: ReadonlySet<string>,
    numbers: readonly string[],
    names: readonly string[],
  ): Match & { readonly provable: boolean } {
    const { passage, parts } = candidate;
    const whole = share(needed, candidate.forms);
    let span: Span = parts[0] ?? { start: 0, end: passage.text.length };
    let best = -1;
    let local = 0;
    parts.forEach((part, at) => {
      // A fact may be spread over a sentence and the one before it.
      const before = parts[at - 1];
      const near = before === undefined ? part.forms : union(before.forms, part.forms);
      const points =
        share(needed, part.forms) +
        0.5 * share(needed, near) +
        0.3 * share([...said], part.forms) +
        0.2 * holds(passage, part, numbers);
      if (points > best) {
        best = points;
        span = { start: part.start, end: part.end };
        local = share(needed, near);
      }
    });
    const provable =
      numbers.every((number) => candidate.numbers.has(number)) &&
      names.every((form) => candidate.forms.has(form));
    // Nothing but numbers: then the numbers are the claim.
    const base = needed.length === 0 ? Number(provable) : 0.5 * whole + 0.5 * local;
    return {
      passage,
      span,
      support: provable ? base : base * 0.5,
      supports: provable && base >= DOUBT,
      provable,
    };
  }

  async function withSecondOpinion(
    sentence: string,
    all: readonly (Match & { readonly provable: boolean })[],
  ): Promise<readonly Match[]> {
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
  function together(
    sorted: readonly Match[],
    needed: readonly string[],
    numbers: readonly string[],
    names: readonly string[],
  ): readonly Match[] | undefined {
    const few = sorted
      .slice(0, 4)
      .flatMap((match) =>
        prepared.filter(({ passage }) => passage === match.passage).map((own) => ({ match, own })),
      );
    for (const { match: first, own } of few) {
      for (const { match: second, own: other } of few) {
        if (first === second) continue;
        const forms = union(own.forms, other.forms);
        const facts = union(own.numbers, other.numbers);
        const proved = numbers.every((number) => facts.has(number)) && names.every((form) => forms.has(form));
        const gain = share(needed, forms) - share(needed, own.forms);
        if (!proved || share(needed, forms) < 0.75 || gain < 0.15 || share(needed, other.forms) < 0.25)
          continue;
        const support = share(needed, forms);
        const main: Match = { ...first, support, supports: true };
        const rest = sorted.filter((match) => match !== first && match !== second);
        return [main, { ...second, support, supports: true, completes: main }, ...rest];
      }
    }
    return undefined;
  }

  /** The part of these words, by weight, that is among the forms. */
  function share(needed: readonly string[], forms: ReadonlySet<string>): number {
    let total = 0;
    let found = 0;
    for (const form of needed) {
      const weight = weights.get(form) ?? 1;
      total += weight;
      if (forms.has(form)) found += weight;
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
  const parts = paragraphs(passage.text, 0, passage.text.length)
    .flatMap(({ start, end }) => sentences(passage.text, start, end))
    .map(({ start, end }) => ({ start, end, forms: formsOf(passage.text.slice(start, end)) }));
  const around = `${passage.title} ${passage.headingPath.join(" ")}`;
  return {
    passage,
    forms: formsOf(`${around} ${passage.text}`),
    numbers: readAllNumbers(`${around} ${passage.text}`),
    parts,
  };
}

function holds(passage: Passage, part: Span, numbers: readonly string[]): number {
  if (numbers.length === 0) return 0;
  const there = readAllNumbers(passage.text.slice(part.start, part.end));
  return numbers.filter((number) => there.has(number)).length / numbers.length;
}

function formsOf(text: string): ReadonlySet<string> {
  return new Set([...words(text)].map(({ form }) => form));
}

function union<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  return new Set([...a, ...b]);
}
