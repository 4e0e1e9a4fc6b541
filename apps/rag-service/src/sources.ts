/** Which passages a model gets: as many as fit, as large as fits. */
import type { ContextBudget, ModelChoice } from "./api/schemas.ts";
import type { Quote } from "./retrieve/quotes.ts";
import type { Hit } from "./retrieve/search.ts";
import { SEAM_TOKENS, type TokenCounter } from "./token-counter.ts";

export interface SourcesRequest {
  /** Best first. */
  readonly hits: readonly Hit[];
  readonly quotes: readonly Quote[];
  /** The hit with the text of the larger unit around it. */
  readonly widen: (hit: Hit) => Promise<Hit>;
  readonly target: ModelChoice;
}

export interface Source {
  readonly hit: Hit;
  readonly form: ContextBudget["sources"][number]["form"];
  readonly text: string;
  readonly tokens: number;
}

/** As a model for demonstration knows its sources: bare. */
export function bareBlock(n: number, text: string): string {
  return `[${n}] ${text.trim()}`;
}

export function sourceBlock(n: number, hit: Hit, text: string): string {
  const page = hit.page === undefined ? "" : `, page ${hit.page}`;
  return `[${n}] (${hit.name}${page})\n${text.trim()}`;
}

/** Windows first, best first; then each is widened to its parent while the budget allows; sentences where no window fits. */
export async function fitSources(
  request: SourcesRequest,
  counter: TokenCounter,
  budget: number,
): Promise<Source[]> {
  const { hits, target } = request;
  if (hits.length === 0) return [];
  // A toy loses itself in a passage, and among several: the best sentence alone is what it can show itself on.
  const best = { ...request, quotes: request.quotes.slice(0, 1) };
  const sentences = target.demonstration ? await fitSentences(best, counter, budget) : [];
  if (sentences.length > 0) return sentences;
  const costs = await counter.texts(hits.map((hit, index) => sourceBlock(index + 1, hit, hit.text)));
  const chosen: Source[] = [];
  let left = budget;
  for (const [index, hit] of hits.entries()) {
    const tokens = (costs[index] ?? 0) + SEAM_TOKENS;
    if (tokens > left) continue;
    chosen.push({ hit, form: "window", text: hit.text, tokens });
    left -= tokens;
  }
  if (chosen.length === 0) return fitSentences(request, counter, budget);
  return widenSources(request, counter, chosen, left);
}

async function widenSources(
  { widen }: SourcesRequest,
  counter: TokenCounter,
  chosen: readonly Source[],
  spare: number,
): Promise<Source[]> {
  const sources = [...chosen];
  let left = spare;
  for (let index = 0; index < sources.length && left > 0; index += 1) {
    const source = sources[index];
    if (source === undefined) break;
    const { parent, charStart, charEnd } = source.hit;
    if (parent.charStart >= charStart && parent.charEnd <= charEnd) continue;
    const wide = await widen(source.hit);
    const [cost = 0] = await counter.texts([sourceBlock(index + 1, wide, wide.text)]);
    // Other windows of the same parent become part of it.
    const inside = sources.filter((other) => other !== source && contains(wide, other.hit));
    const freed = inside.reduce((sum, other) => sum + other.tokens, 0);
    const more = cost + SEAM_TOKENS - source.tokens - freed;
    if (more > left) continue;
    left -= more;
    sources[index] = { hit: wide, form: "parent", text: wide.text, tokens: cost + SEAM_TOKENS };
    for (const other of inside) sources.splice(sources.indexOf(other), 1);
    index = sources.findIndex((one) => one.hit === wide);
  }
  return sources;
}

async function fitSentences(
  { hits, quotes }: SourcesRequest,
  counter: TokenCounter,
  budget: number,
): Promise<Source[]> {
  const sources = new Map<string, { hit: Hit; sentences: string[]; tokens: number }>();
  let left = budget;
  for (const quote of quotes) {
    const hit = hits.find((one) => one.chunkId === quote.chunkId);
    if (hit === undefined) continue;
    const before = sources.get(quote.chunkId);
    const sentences = [...(before?.sentences ?? []), quote.quote];
    const [cost = 0] = await counter.texts([sourceBlock(sources.size + 1, hit, sentences.join(" "))]);
    const tokens = cost + SEAM_TOKENS;
    if (tokens - (before?.tokens ?? 0) > left) continue;
    left -= tokens - (before?.tokens ?? 0);
    sources.set(quote.chunkId, { hit, sentences, tokens });
  }
  return [...sources.values()].map(({ hit, sentences, tokens }) => ({
    hit,
    form: "sentences",
    text: sentences.join(" "),
    tokens,
  }));
}

export function contains(outer: Hit, inner: Hit): boolean {
  return (
    outer.versionId === inner.versionId &&
    outer.charStart <= inner.charStart &&
    outer.charEnd >= inner.charEnd
  );
}
