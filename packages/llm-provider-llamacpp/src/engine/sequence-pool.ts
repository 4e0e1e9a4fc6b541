import type { LlamaContext, Token } from "node-llama-cpp";

import { type PacedSequence, pacedSequence } from "./pacing.ts";

/** The sequences of one context, each with the conversation that it holds in its cache. */
export interface SequencePool {
  readonly context: LlamaContext;
  /** The free sequence that has most of `prompt` in its cache; waits for its turn when all are busy. */
  acquire(prompt: Token[], signal: AbortSignal, onQueued: () => void): Promise<PacedSequence>;
  release(sequence: PacedSequence): void;
}

interface Slot {
  readonly paced: PacedSequence;
  busy: boolean;
  usedAt: number;
}

interface Waiter {
  readonly prompt: Token[];
  readonly give: (slot: Slot) => void;
}

export function createSequencePool(context: LlamaContext): SequencePool {
  const slots: Slot[] = Array.from({ length: context.totalSequences }, () => ({
    paced: pacedSequence(context.getSequence(), context.batchSize),
    busy: false,
    usedAt: 0,
  }));
  const waiting: Waiter[] = [];
  let clock = 0;

  function claim(prompt: Token[]): Slot | undefined {
    const free = slots.filter((slot) => !slot.busy);
    const chosen = bestFor(prompt, free);
    if (chosen === undefined) return undefined;
    chosen.busy = true;
    clock += 1;
    chosen.usedAt = clock;
    return chosen;
  }

  return {
    context,
    async acquire(prompt, signal, onQueued) {
      signal.throwIfAborted();
      const now = waiting.length === 0 ? claim(prompt) : undefined;
      if (now !== undefined) return now.paced;
      onQueued();
      return new Promise<PacedSequence>((resolve, reject) => {
        const waiter: Waiter = {
          prompt,
          give(slot) {
            signal.removeEventListener("abort", leave);
            resolve(slot.paced);
          },
        };
        const leave = (): void => {
          waiting.splice(waiting.indexOf(waiter), 1);
          reject(signal.reason);
        };
        signal.addEventListener("abort", leave, { once: true });
        waiting.push(waiter);
      });
    },
    release(sequence) {
      const slot = slots.find((own) => own.paced === sequence);
      if (slot === undefined) return;
      slot.paced.setPace(undefined);
      slot.busy = false;
      const next = waiting.shift();
      if (next === undefined) return;
      const given = claim(next.prompt);
      if (given !== undefined) next.give(given);
    },
  };
}

/**
 * The one that keeps most of the prompt. Where that would throw away the larger part of another conversation for the
 * sake of a shared beginning (a common system message), the longest unused one is taken instead.
 */
function bestFor(prompt: Token[], free: readonly Slot[]): Slot | undefined {
  const oldest = free.toSorted((a, b) => a.usedAt - b.usedAt)[0];
  let best = oldest;
  let kept = 0;
  for (const slot of free) {
    const { firstDifferentIndex } = slot.paced.sequence.compareContextTokens(prompt);
    if (firstDifferentIndex <= kept) continue;
    kept = firstDifferentIndex;
    best = slot;
  }
  if (best === undefined || kept * 2 >= best.paced.sequence.contextTokens.length) return best;
  return oldest;
}
