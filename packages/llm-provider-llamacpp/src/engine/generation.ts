import { LlmError } from "@enginehouse/llm-core";
import type { LLamaChatGenerateResponseOptions } from "node-llama-cpp";

import type { ChatJob, ChatOutcome, EngineEvent, ModelLack } from "../wire.ts";
import { createAnswer } from "./answer.ts";
import type { NodeLlama } from "./llama.ts";
import type { ChatModel } from "./model.ts";
import type { Pace } from "./pacing.ts";
import { callingFirst, continuing, promptTokens, withEmptyThought } from "./prompt.ts";

export interface GenerationHost {
  readonly library: NodeLlama;
  readonly chat: ChatModel;
  readonly signal: AbortSignal;
  readonly emit: (event: EngineEvent) => void;
  /** See `BatchQueue`. */
  readonly room: () => Promise<void> | undefined;
  /** When the job came, and when its model was there. */
  readonly began: number;
  readonly loadMs: number;
}

/** One answer, from the check that the prompt fits to the figures at its end. */
export async function generateAnswer(job: ChatJob, host: GenerationHost): Promise<void> {
  const { library, chat, signal, emit } = host;
  const { model, pool, window } = chat;
  const lacks: ModelLack[] = [];
  const base = chat.wrapper(job.thoughts.wanted !== false);
  if (job.thoughts.wanted === true && base.settings.segments?.thought === undefined) lacks.push("reasoning");
  if (!chat.hasTemplate) lacks.push("chat-template");
  const wrapper = job.mustCall ? callingFirst(base) : continuing(base, job.history);
  if (wrapper === undefined) lacks.push("forced-call");
  const chatWrapper = wrapper ?? base;
  const unthinking =
    job.thoughts.wanted === false && !chat.thinkingSwitch && base.settings.segments?.thought !== undefined;
  const history = unthinking ? withEmptyThought(job.history) : [...job.history];

  const prompt = promptTokens(chatWrapper, model.tokenizer, history, job.functions);
  // One token for the answer, one that the engine keeps for itself.
  if (prompt.length + 2 > window) throw overflow(prompt.length, window);
  emit({ kind: "ready", lacks });

  const queuedAt = performance.now();
  const slot = await pool.acquire(prompt, signal, () => emit({ kind: "status", status: "queued" }));
  const began = performance.now();
  const count = { read: undefined as number | undefined, output: 0, firstToken: 0 };
  const answer = createAnswer(emit);
  const pace: Pace = {
    signal,
    room: host.room,
    onPrompt(done, total) {
      count.read ??= total;
      if (done > 0) emit({ kind: "status", status: "prefill", progress: done / total });
    },
    onToken() {
      count.output += 1;
      if (count.firstToken === 0) count.firstToken = performance.now();
    },
  };
  slot.setPace(pace);
  const session = new library.LlamaChat({ contextSequence: slot.sequence, chatWrapper });
  try {
    const stop = await run();
    const ended = performance.now();
    emit({
      kind: "end",
      outcome: {
        stop,
        promptTokens: prompt.length,
        cachedTokens: Math.max(0, prompt.length - (count.read ?? prompt.length)),
        outputTokens: count.output,
        thoughtTokens: answer.thoughtTokens(),
        window,
        timings: {
          queue: began - queuedAt,
          load: host.loadMs,
          prompt: (count.firstToken || ended) - began,
          generation: count.firstToken === 0 ? 0 : ended - count.firstToken,
        },
      } satisfies ChatOutcome,
    });
  } finally {
    session.dispose({ disposeSequence: false });
    pool.release(slot);
  }

  async function run(): Promise<string> {
    const { sampling } = job;
    const grammar =
      job.grammar === undefined ? undefined : await model.llama.createGrammar({ grammar: job.grammar });
    const options: LLamaChatGenerateResponseOptions = {
      signal,
      maxTokens: Math.min(job.maxTokens ?? Number.POSITIVE_INFINITY, window - 1 - prompt.length),
      temperature: sampling.temperature,
      topP: sampling.topP,
      topK: sampling.topK,
      minP: sampling.minP,
      ...(sampling.seed !== undefined && { seed: sampling.seed }),
      repeatPenalty: sampling.repeatPenalty === false ? false : { lastTokens: 64, ...sampling.repeatPenalty },
      customStopTriggers: job.stop,
      ...(job.thoughts.budget !== undefined && { budgets: { thoughtTokens: job.thoughts.budget } }),
      // Asked only when the window is full. A shift would drop parts of the conversation in silence.
      contextShift: { size: () => Promise.reject(windowFull) },
      onResponseChunk: answer.chunk,
    };
    try {
      const result = await session.generateResponse(history, {
        ...options,
        ...(grammar === undefined
          ? job.functions !== undefined && {
              functions: job.functions,
              documentFunctionParams: true,
              onFunctionCallParamsChunk: answer.callChunk,
              onFunctionCall: answer.call,
            }
          : { grammar }),
      } as LLamaChatGenerateResponseOptions);
      return result.metadata.stopReason;
    } catch (error) {
      if (error === windowFull) return "contextWindow";
      if (answer.failCall(error)) return "functionCalls";
      throw error;
    }
  }
}

const windowFull = new Error("the context window is full");

function overflow(tokens: number, window: number): LlmError {
  return new LlmError(
    "context-overflow",
    `the prompt has ${tokens} tokens and the window ${window}, of which the engine keeps one and the answer needs one at least`,
    {
      figures: { promptTokens: tokens, window },
      hint: 'shorten the messages, set overflow to "drop-oldest", or load the model with a larger contextWindow',
    },
  );
}
