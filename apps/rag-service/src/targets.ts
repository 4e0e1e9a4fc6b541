/**
 * Who answers: resolves `provider/model` and tries the configured order, moving on only before the first word.
 * The one file that the runtime package will replace.
 */
import {
  batchesOf,
  type ChatEvent,
  type ChatRequest,
  type ErrorCode,
  LlmError,
  type Provider,
  type Registry,
  toLlmError,
} from "@enginehouse/llm-core";

import type { ModelChoice } from "./api/schemas.ts";
import type { Models } from "./models.ts";
import { createPauses } from "./pauses.ts";

export interface TargetWishes {
  readonly model?: string | undefined;
  readonly fallbacks?: readonly string[] | undefined;
}

/** What a user set: a model chosen by hand, and the order of the others. */
export interface TargetOrder {
  readonly model?: string | undefined;
  readonly order: readonly string[];
}

/**
 * The targets in the order they are tried. A request that names a model gets that and its fallbacks, nothing else;
 * otherwise the settings decide, and after them every installed chat model, those for demonstration last.
 * A model named in a request must exist; one named in the settings that is gone is left out.
 */
export async function resolveTargets(
  models: Models,
  wishes: TargetWishes,
  settings: TargetOrder,
): Promise<ModelChoice[]> {
  if (wishes.model !== undefined) {
    return unique(
      await Promise.all([wishes.model, ...(wishes.fallbacks ?? [])].map((ref) => models.find(ref))),
    );
  }
  const fallbacks = await Promise.all((wishes.fallbacks ?? []).map((ref) => models.find(ref)));
  const configured = [...(settings.model === undefined ? [] : [settings.model]), ...settings.order];
  const set = await Promise.all(configured.map((ref) => models.find(ref).catch(() => undefined)));
  return unique([...fallbacks, ...set.filter((choice) => choice !== undefined), ...(await models.chat())]);
}

function unique(choices: readonly ModelChoice[]): ModelChoice[] {
  return [...new Map(choices.map((choice) => [choice.ref, choice])).values()];
}

export interface Attempt {
  /** From 1. */
  readonly number: number;
  readonly target: ModelChoice;
}

export interface AttemptHandlers {
  started(attempt: Attempt): void;
  /** The request for this target: prompts differ, because windows do. */
  prepare(attempt: Attempt, provider: Provider, signal: AbortSignal): Promise<ChatRequest>;
  /** Every event of the answer, in order. With `enough` the model is stopped, and has answered. */
  event(attempt: Attempt, event: ChatEvent): "enough" | undefined;
  failed(attempt: Attempt, error: LlmError): void;
}

/** Who answered, or why nobody did: one error for each target, in order. */
export type AttemptsResult =
  | { readonly answered: Attempt }
  | { readonly answered: undefined; readonly errors: readonly LlmError[] };

/** What no other model would make better. */
const FINAL: ReadonlySet<ErrorCode> = new Set(["aborted", "invalid-request", "content-filtered"]);
/** One deadline for the whole chain, up to the first word. */
export const FIRST_WORD_MS = 600_000;

/** Throws only after the first word, or when the caller's signal ends it. */
export async function tryTargets(
  registry: Registry,
  targets: readonly ModelChoice[],
  handlers: AttemptHandlers,
  signal: AbortSignal,
  firstWordMs = FIRST_WORD_MS,
): Promise<AttemptsResult> {
  const errors: LlmError[] = [];
  const chain = new AbortController();
  const deadline = setTimeout(() => chain.abort(new Error("too late")), firstWordMs);
  const either = AbortSignal.any([signal, chain.signal]);
  const pause = createPauses(either);
  try {
    for (const [index, target] of targets.entries()) {
      const attempt = { number: index + 1, target };
      let spoken = false;
      handlers.started(attempt);
      try {
        const provider = await registry.provider(target.providerId);
        const request = await handlers.prepare(attempt, provider, either);
        for await (const batch of batchesOf(streamOf(provider, request, either))) {
          // A model that never waits must not keep everybody else waiting.
          await pause();
          for (const event of batch) {
            // Once a word has been handed out there is no going back: only the start may move on.
            if (!spoken && isWord(event)) {
              spoken = true;
              clearTimeout(deadline);
            }
            if (event.type === "finish" && !spoken) throw wordless(target);
            if (handlers.event(attempt, event) === "enough") return { answered: attempt };
          }
        }
        return { answered: attempt };
      } catch (error) {
        if (spoken || signal.aborted) throw error;
        const late = chain.signal.aborted ? tooLate(target, firstWordMs, error) : undefined;
        const known =
          late ??
          toLlmError(error, "provider-internal", { provider: target.providerId, model: target.model });
        errors.push(known);
        handlers.failed(attempt, known);
        if (late !== undefined || FINAL.has(known.code)) break;
      }
    }
    return { answered: undefined, errors };
  } finally {
    clearTimeout(deadline);
  }
}

function streamOf(provider: Provider, request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
  if (provider.stream !== undefined) return provider.stream(request, { signal });
  throw new LlmError("unsupported", `provider "${provider.name}" cannot chat`, { provider: provider.name });
}

function isWord(event: ChatEvent): boolean {
  return (event.type === "text-delta" || event.type === "reasoning-delta") && event.text !== "";
}

function wordless({ providerId, model, ref }: ModelChoice): LlmError {
  return new LlmError("invalid-response", `"${ref}" ended its answer without a word`, {
    provider: providerId,
    model,
    hint: "Try again, or choose another model.",
  });
}

function tooLate({ providerId, model, ref }: ModelChoice, ms: number, cause: unknown): LlmError {
  return new LlmError("timeout", `"${ref}" had not begun to answer after ${Math.round(ms / 1000)} s`, {
    provider: providerId,
    model,
    hint: "Choose a smaller model, or a computer with more memory.",
    cause,
  });
}
