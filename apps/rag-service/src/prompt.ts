/** What a model is given: numbered sources, as many as its real window holds, and an account of what did not fit. */
import { LlmError, type Provider } from "@enginehouse/llm-core";

import type { ContextBudget, ModelChoice } from "./api/schemas.ts";
import type { Passage } from "./cite/attribute.ts";
import type { Quote } from "./retrieve/quotes.ts";
import type { Hit } from "./retrieve/search.ts";

export interface Turn {
  readonly question: string;
  readonly answer: string;
}

export interface PromptRequest {
  readonly question: string;
  /** Oldest first. */
  readonly history: readonly Turn[];
  /** Best first. */
  readonly hits: readonly Hit[];
  readonly quotes: readonly Quote[];
  /** The hit with the text of the larger unit around it. */
  readonly widen: (hit: Hit) => Promise<Hit>;
  readonly target: ModelChoice;
  readonly provider: Provider;
  readonly signal: AbortSignal;
  /** Tokens wished for the answer. */
  readonly maxTokens?: number | undefined;
}

/** A message of plain text. */
interface TextMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface Prompt {
  readonly messages: readonly TextMessage[];
  readonly passages: readonly Passage[];
  readonly context: ContextBudget;
  /** Tokens that the answer may have. */
  readonly maxTokens: number;
}

const SYSTEM =
  "Answer the question using only the numbered sources. Cite the source of each sentence with its number, like [1]. " +
  "If the sources do not contain the answer, say that you don't have enough information.";

/** Assumed where neither provider nor model tells the window. */
const ASSUMED_WINDOW = 4_096;
/** More sources than this make small models worse and slow ones slower. */
const MAX_SOURCE_TOKENS = 3_000;
const MAX_ANSWER_TOKENS = 4_096;
/** The answer gets a third of a small window, and this much of a large one. */
const RESERVED_TOKENS = 1_024;
/** A source costs a few tokens more in its place than alone. */
const SEAM_TOKENS = 4;

interface Source {
  readonly hit: Hit;
  readonly form: ContextBudget["sources"][number]["form"];
  readonly text: string;
  readonly tokens: number;
}

export async function buildPrompt(request: PromptRequest): Promise<Prompt> {
  const { question, hits, target } = request;
  const counter = createCounter(request);
  const window = await counter.window();
  const room = window ?? ASSUMED_WINDOW;
  const reserved = Math.min(request.maxTokens ?? RESERVED_TOKENS, Math.floor(room / 3));
  const bare = await counter.messages(messagesOf(question, [], []));
  if (bare + reserved > room) {
    throw new LlmError(
      "context-overflow",
      `the question alone has ${bare} tokens; with ${reserved} for the answer it does not fit the window of ${room}`,
      {
        provider: target.providerId,
        model: target.model,
        figures: { promptTokens: bare, window: room },
        hint: "Shorten the question, or choose a model with a larger window.",
      },
    );
  }
  const free = room - reserved - bare;
  const history = await fitHistory(request, counter, Math.floor(free / 4));
  let sources = await fitSources(request, counter, Math.min(free - history.tokens, MAX_SOURCE_TOKENS));
  // Parts are counted alone and the whole may cost more: what is sent has been counted as a whole.
  let messages = messagesOf(question, history.turns, sources);
  let used = await counter.messages(messages);
  while (used + reserved > room && sources.length > 0) {
    sources = sources.slice(0, -1);
    messages = messagesOf(question, history.turns, sources);
    used = await counter.messages(messages);
  }
  const given = new Set(sources.map(({ hit }) => hit.chunkId));
  const covered = (hit: Hit) => given.has(hit.chunkId) || sources.some((source) => contains(source.hit, hit));
  return {
    messages,
    passages: sources.map(({ hit }, index) => ({ ...hit, n: index + 1 })),
    maxTokens: request.maxTokens ?? Math.max(1, Math.min(MAX_ANSWER_TOKENS, room - used)),
    context: {
      ...(window === undefined ? {} : { window }),
      used,
      reserved,
      counted: counter.kind,
      sources: sources.map(({ hit, form, tokens }, index) => ({
        n: index + 1,
        chunkId: hit.chunkId,
        documentId: hit.documentId,
        title: hit.title,
        ...(hit.page === undefined ? {} : { page: hit.page }),
        form,
        tokens,
      })),
      dropped: hits
        .filter((hit) => !covered(hit))
        .map(({ chunkId, documentId, title }) => ({
          chunkId,
          documentId,
          title,
          reason: "no room in the window",
        })),
      droppedTurns: request.history.length - history.turns.length,
      messages: messages.map(({ role, content }) => ({ role, text: content })),
    },
  };
}

function messagesOf(question: string, history: readonly Turn[], sources: readonly Source[]): TextMessage[] {
  const blocks = sources.map(({ hit, text }, index) => block(index + 1, hit, text)).join("\n\n");
  return [
    { role: "system", content: SYSTEM },
    ...history.flatMap((turn): TextMessage[] => [
      { role: "user", content: turn.question },
      { role: "assistant", content: turn.answer },
    ]),
    {
      role: "user",
      content:
        sources.length === 0
          ? `Sources: none.\n\nQuestion: ${question}`
          : `Sources:\n${blocks}\n\nQuestion: ${question}`,
    },
  ];
}

function block(n: number, hit: Hit, text: string): string {
  const page = hit.page === undefined ? "" : `, page ${hit.page}`;
  return `[${n}] (${hit.name}${page})\n${text.trim()}`;
}

/** The latest turns that fit. */
async function fitHistory(
  { history }: PromptRequest,
  counter: Counter,
  budget: number,
): Promise<{ turns: readonly Turn[]; tokens: number }> {
  if (history.length === 0) return { turns: [], tokens: 0 };
  const costs = await counter.texts(history.map((turn) => `${turn.question}\n${turn.answer}`));
  let tokens = 0;
  let from = history.length;
  while (from > 0) {
    const cost = (costs[from - 1] ?? 0) + 2 * SEAM_TOKENS;
    if (tokens + cost > budget) break;
    tokens += cost;
    from -= 1;
  }
  return { turns: history.slice(from), tokens };
}

/** Windows first, best first; then each is widened to its parent while the budget allows; sentences where no window fits. */
async function fitSources(request: PromptRequest, counter: Counter, budget: number): Promise<Source[]> {
  const { hits, target } = request;
  if (hits.length === 0) return [];
  // A toy loses itself in a passage; a few sentences are what it can show itself on.
  const sentences = target.demonstration ? await fitSentences(request, counter, budget) : [];
  if (sentences.length > 0) return sentences;
  const costs = await counter.texts(hits.map((hit, index) => block(index + 1, hit, hit.text)));
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
  { widen }: PromptRequest,
  counter: Counter,
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
    const [cost = 0] = await counter.texts([block(index + 1, wide, wide.text)]);
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
  { hits, quotes }: PromptRequest,
  counter: Counter,
  budget: number,
): Promise<Source[]> {
  const sources = new Map<string, { hit: Hit; sentences: string[]; tokens: number }>();
  let left = budget;
  for (const quote of quotes) {
    const hit = hits.find((one) => one.chunkId === quote.chunkId);
    if (hit === undefined) continue;
    const before = sources.get(quote.chunkId);
    const sentences = [...(before?.sentences ?? []), quote.quote];
    const [cost = 0] = await counter.texts([block(sources.size + 1, hit, sentences.join(" "))]);
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

function contains(outer: Hit, inner: Hit): boolean {
  return (
    outer.versionId === inner.versionId &&
    outer.charStart <= inner.charStart &&
    outer.charEnd >= inner.charEnd
  );
}

interface Counter {
  readonly kind: ContextBudget["counted"];
  window(): Promise<number | undefined>;
  messages(messages: readonly TextMessage[]): Promise<number>;
  texts(texts: readonly string[]): Promise<readonly number[]>;
}

function createCounter({ provider, target, signal }: PromptRequest): Counter {
  const { model } = target;
  const { countTokens, describeModel } = provider;
  const described = async () => (await describeModel?.(model, { signal }))?.contextWindow;
  if (countTokens === undefined) {
    return {
      kind: "estimate",
      window: described,
      messages: async (messages) =>
        estimate(messages.map(({ content }) => content).join("\n")) + 8 * messages.length,
      texts: async (texts) => texts.map(estimate),
    };
  }
  return {
    kind: "model",
    async window() {
      const { window } = await countTokens({ model, texts: [""] }, { signal });
      return window ?? (await described());
    },
    messages: async (messages) => (await countTokens({ model, messages }, { signal })).tokens,
    async texts(texts) {
      const { perText } = await countTokens({ model, texts }, { signal });
      return perText ?? texts.map(estimate);
    },
  };
}

/** Three characters are a token: rather too many than too few. */
function estimate(text: string): number {
  return Math.ceil(text.length / 3);
}
