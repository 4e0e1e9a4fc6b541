/** What a model is given: numbered sources, as many as its real window holds, and an account of what did not fit. */
import { LlmError, type Provider } from "@enginehouse/llm-core";

import type { ContextBudget, ModelChoice } from "./api/schemas.ts";
import type { Passage } from "./cite/attribute.ts";
import type { Hit } from "./retrieve/search.ts";
import { bareBlock, contains, fitSources, type Source, sourceBlock, type SourcesRequest } from "./sources.ts";
import { createTokenCounter, SEAM_TOKENS, type TextMessage, type TokenCounter } from "./token-counter.ts";

export interface Turn {
  readonly question: string;
  readonly answer: string;
}

export interface PromptRequest extends SourcesRequest {
  readonly question: string;
  /** Oldest first. */
  readonly history: readonly Turn[];
  readonly provider: Provider;
  readonly signal: AbortSignal;
  /** Tokens wished for the answer. */
  readonly maxTokens?: number | undefined;
}

export interface Prompt {
  readonly messages: readonly TextMessage[];
  readonly passages: readonly Passage[];
  readonly context: ContextBudget;
  /** Tokens that the answer may have. */
  readonly maxTokens: number;
}

/** One of those that the demonstration model was trained with; other words confuse it. */
const DEMONSTRATION_SYSTEM = "Answer the question using only the context. Cite the passage number like [1].";
const SYSTEM =
  "Answer the question using only the numbered sources. Cite the source of each sentence with its number, like [1]. " +
  "If the sources do not contain the answer, say that you don't have enough information.";

/** Assumed where neither provider nor model tells the window. */
const ASSUMED_WINDOW = 4_096;
/** More sources than this make small models worse and slow ones slower. */
const MAX_SOURCE_TOKENS = 3_000;
const MAX_ANSWER_TOKENS = 4_096;
/** A toy that has lost the thread would fill its window with nonsense. */
const MAX_DEMONSTRATION_TOKENS = 160;
/** The answer gets a third of a small window, and this much of a large one. */
const RESERVED_TOKENS = 1_024;
export async function buildPrompt(request: PromptRequest): Promise<Prompt> {
  const { question, hits, target } = request;
  const counter = createTokenCounter(request);
  const window = await counter.window();
  const room = window ?? ASSUMED_WINDOW;
  const reserved = Math.min(request.maxTokens ?? RESERVED_TOKENS, Math.floor(room / 3));
  const bare = await counter.messages(messagesOf(question, [], [], target));
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
  let messages = messagesOf(question, history.turns, sources, target);
  let used = await counter.messages(messages);
  while (used + reserved > room && sources.length > 0) {
    sources = sources.slice(0, -1);
    messages = messagesOf(question, history.turns, sources, target);
    used = await counter.messages(messages);
  }
  const longest = target.demonstration ? MAX_DEMONSTRATION_TOKENS : MAX_ANSWER_TOKENS;
  const given = new Set(sources.map(({ hit }) => hit.chunkId));
  const covered = (hit: Hit) => given.has(hit.chunkId) || sources.some((source) => contains(source.hit, hit));
  return {
    messages,
    passages: sources.map(({ hit }, index) => ({ ...hit, n: index + 1 })),
    maxTokens: request.maxTokens ?? Math.max(1, Math.min(longest, room - used)),
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
          reason: target.demonstration
            ? "a model for demonstration gets the best sentence alone"
            : "no room in the window",
        })),
      droppedTurns: request.history.length - history.turns.length,
      messages: messages.map(({ role, content }) => ({ role, text: content })),
    },
  };
}

function messagesOf(
  question: string,
  history: readonly Turn[],
  sources: readonly Source[],
  { demonstration }: ModelChoice,
): TextMessage[] {
  const blockOf = ({ hit, text }: Source, index: number) =>
    demonstration ? bareBlock(index + 1, text) : sourceBlock(index + 1, hit, text);
  const blocks = sources.map(blockOf).join("\n\n");
  return [
    { role: "system", content: demonstration ? DEMONSTRATION_SYSTEM : SYSTEM },
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

/** The latest turns that fit. */
async function fitHistory(
  { history }: PromptRequest,
  counter: TokenCounter,
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
