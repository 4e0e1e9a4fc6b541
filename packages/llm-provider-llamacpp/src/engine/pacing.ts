import type { LlamaContextSequence, Token } from "node-llama-cpp";

/** What one running generation wants to know and to decide between two tokens. */
export interface Pace {
  readonly signal: AbortSignal;
  /** `undefined`: go on; else a promise of the moment to go on. */
  room(): Promise<void> | undefined;
  /** Tokens read of those that the cache did not have; first with 0. */
  onPrompt(done: number, total: number): void;
  onToken(): void;
}

export interface PacedSequence {
  readonly sequence: LlamaContextSequence;
  /** Holds for as long as a generation runs on the sequence. */
  setPace(pace: Pace | undefined): void;
}

/** How long one uninterruptible step of reading a prompt should take, in milliseconds: an abort waits for it. */
const STEP = 80;
/** Tokens. With fewer, a large model would spend most of a step on reaching its weights; so its steps may take longer. */
const SMALLEST_STEP = 16;

/**
 * `LlamaChat` drives its sequence by `evaluate`, which offers no moment to pause and, while it reads a prompt, none
 * to stop. So the sequence's own `evaluate` is replaced: the prompt is read in steps that fit the machine's speed,
 * with a look at the signal after each, and no token is asked for while the reader has enough to read.
 */
export function pacedSequence(sequence: LlamaContextSequence, batchSize: number): PacedSequence {
  let current: Pace | undefined;
  const evaluate = sequence.evaluate.bind(sequence);
  let perToken: number | undefined;

  async function readAllButTheEnd(tokens: Token[], pace: Pace): Promise<Token[]> {
    let done = 0;
    pace.onPrompt(done, tokens.length);
    while (tokens.length - done > 1) {
      pace.signal.throwIfAborted();
      const fitting = perToken === undefined ? SMALLEST_STEP : Math.floor(STEP / perToken);
      const step = Math.max(SMALLEST_STEP, Math.min(batchSize, fitting));
      // The last step is left to `evaluate`, which also samples.
      if (tokens.length - done <= step) break;
      const began = performance.now();
      await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(done, done + step));
      perToken = (performance.now() - began) / step;
      done += step;
      pace.onPrompt(done, tokens.length);
    }
    pace.signal.throwIfAborted();
    return done === 0 ? tokens : tokens.slice(done);
  }

  sequence.evaluate = (tokens, options) => {
    const pace = current;
    if (pace === undefined) return evaluate(tokens, options);
    let inner: ReturnType<typeof evaluate> | undefined;

    const step = async (answer: void | Token | Token[]): Promise<IteratorResult<Token, void>> => {
      const room = pace.room();
      if (room !== undefined) await room;
      pace.signal.throwIfAborted();
      inner ??= evaluate(await readAllButTheEnd(tokens, pace), options);
      const next = await inner.next(answer);
      if (next.done !== true) pace.onToken();
      return next;
    };
    const iterator = {
      next: (answer?: void | Token | Token[]) => step(answer),
      return: async () => (await inner?.return()) ?? { done: true as const, value: undefined },
      throw: async (error: unknown) => {
        if (inner === undefined) throw error;
        return inner.throw(error);
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator as ReturnType<typeof evaluate>;
  };
  return { sequence, setPace: (pace) => (current = pace) };
}
