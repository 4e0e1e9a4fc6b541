import { LlmError } from "@enginehouse/llm-core";
import type { ChatWrapper, LlamaEmbeddingContext, LlamaModel, LlamaRankingContext } from "node-llama-cpp";

import type { EngineOptions } from "../wire.ts";
import type { Native } from "./llama.ts";
import { createSequencePool, type SequencePool } from "./sequence-pool.ts";

/** A model's weights in memory, and what was made of them so far. */
export interface OpenModel {
  readonly model: LlamaModel;
  readonly kind: "chat" | "embedding" | "rerank";
  /** The window in force: of the chat, else of the embedder or reranker; `undefined` before there is one. */
  window(): number | undefined;
  memory(): { readonly ram: number; readonly vram: number };
  chat(): Promise<ChatModel>;
  embedder(): Promise<Reader<LlamaEmbeddingContext>>;
  ranker(): Promise<Reader<LlamaRankingContext>>;
  /** What this kind of model is made for: chat, embedder or ranker. */
  open(): Promise<void>;
  dispose(): Promise<void>;
}

export interface ChatModel {
  readonly model: LlamaModel;
  readonly pool: SequencePool;
  readonly window: number;
  readonly hasTemplate: boolean;
  /** Whether the template itself takes the wish not to think. */
  readonly thinkingSwitch: boolean;
  /** The model's own template; with `thinks: false` the one that asks it not to think, where it knows such a wish. */
  wrapper(thinks: boolean): ChatWrapper;
}

/** What reads and does not write. */
export interface Reader<Context> {
  readonly context: Context;
  readonly model: LlamaModel;
  /** The longest input, in tokens, the model's own marks included. */
  readonly limit: number;
}

/** Without a wish no chat gets a larger window than this: the memory for it is taken at once. */
export const DEFAULT_WINDOW = 8_192;
/** An embedder reads a text in one batch, and the memory for a batch grows with it. */
export const DEFAULT_EMBEDDING_WINDOW = 2_048;

export function openModel(native: Native, model: LlamaModel, options: EngineOptions): OpenModel {
  const kind = kindOf(model);
  const parts: {
    chat?: Promise<ChatModel>;
    embedder?: Promise<Reader<LlamaEmbeddingContext>>;
    ranker?: Promise<Reader<LlamaRankingContext>>;
  } = {};
  let window: number | undefined;
  let ram = 0;
  let vram = 0;

  /** Made once, however many ask; a failed try is forgotten. */
  function once<Key extends keyof typeof parts>(
    key: Key,
    make: () => NonNullable<(typeof parts)[Key]>,
  ): NonNullable<(typeof parts)[Key]> {
    const there = parts[key];
    if (there !== undefined) return there;
    const made = make();
    parts[key] = made;
    made.catch(() => {
      if (parts[key] === made) delete parts[key];
    });
    return made;
  }

  async function makeChat(): Promise<ChatModel> {
    if (kind !== "chat") throw new LlmError("unsupported", `this model is made for ${kind}, not for chat`);
    const wanted = options.contextWindow;
    const context = await model.createContext({
      sequences: options.parallel,
      contextSize:
        wanted === undefined
          ? { max: Math.min(model.trainContextSize, DEFAULT_WINDOW) }
          : Math.min(model.trainContextSize, wanted),
      threads: options.threads,
    });
    window = Math.min(context.contextSize, model.trainContextSize);
    ram += context.memoryUsage.ram;
    vram += context.memoryUsage.vram;
    const template = model.fileInfo.metadata.tokenizer.chat_template ?? "";
    const thinkingSwitch = THINKING_SWITCH.test(template);
    const wrappers = new Map<boolean, ChatWrapper>();
    return {
      model,
      pool: createSequencePool(context),
      window,
      thinkingSwitch,
      hasTemplate: template.trim() !== "",
      wrapper(thinks) {
        // To find the template's format takes half a second: a second time only where the template knows the wish.
        const key = thinks || !thinkingSwitch;
        const known = wrappers.get(key);
        if (known !== undefined) return known;
        const made = templateOf(native, model, key);
        wrappers.set(key, made);
        return made;
      },
    };
  }

  /**
   * The vector of a text that is read in parts would be that of its last part: the batch is the whole window. The
   * engine rounds a window up, beyond what the model was trained for, and takes one token less than it holds.
   */
  async function reader<Context>(
    make: (size: { contextSize: number; batchSize: number; threads: number }) => Promise<Context>,
  ): Promise<Reader<Context>> {
    const size = Math.min(model.trainContextSize, options.contextWindow ?? DEFAULT_EMBEDDING_WINDOW);
    const context = await make({ contextSize: size, batchSize: size, threads: options.threads });
    window ??= size;
    return { context, model, limit: size - 1 };
  }

  const open: OpenModel = {
    model,
    kind,
    window: () => window,
    memory: () => ({ ram: model.memoryUsage.ram + ram, vram: model.memoryUsage.vram + vram }),
    chat: () => once("chat", makeChat),
    embedder: () =>
      once("embedder", async () => {
        if (kind === "rerank")
          throw new LlmError("unsupported", "this model is made for rerank, not for embedding");
        return reader((size) => model.createEmbeddingContext(size));
      }),
    ranker: () => once("ranker", () => reader((size) => model.createRankingContext(size))),
    async open() {
      if (kind === "chat") await open.chat();
      else if (kind === "embedding") await open.embedder();
      else await open.ranker();
    },
    async dispose() {
      await model.dispose();
    },
  };
  return open;
}

/** The names under which templates take the wish whether to think. */
const THINKING_SWITCH = /enable_thinking|reasoning_effort|\bthinking\b/;

function templateOf({ library }: Native, model: LlamaModel, thinks: boolean): ChatWrapper {
  const options = {
    warningLogs: false,
    ...(!thinks && {
      customWrapperSettings: {
        jinjaTemplate: { reasoning: false },
        qwen: { thoughts: "discourage" as const },
      },
    }),
  };
  try {
    return library.resolveChatWrapper(model, { ...options, fallbackToOtherWrappersOnJinjaError: false });
  } catch {
    // A template that cannot be rendered: the nearest known format.
    return library.resolveChatWrapper(model, { ...options, noJinja: true });
  }
}

/** llama.cpp's numbers of the pooling types: how the vectors of a text's tokens become one. */
const POOLING_NONE = 0;
const POOLING_RANK = 4;

/** By what the file says: an embedder generates nothing, and says so to nobody. */
export function kindOf(model: LlamaModel): OpenModel["kind"] {
  const { metadata } = model.fileInfo;
  const own = Object.entries(metadata).find(([key]) => key === metadata.general.architecture)?.[1];
  if (typeof own !== "object" || own === null) return "chat";
  const { pooling_type: pooling, attention } = own as {
    pooling_type?: unknown;
    attention?: { causal?: unknown };
  };
  if (pooling === POOLING_RANK) return "rerank";
  if (typeof pooling === "number" && pooling !== POOLING_NONE) return "embedding";
  return attention?.causal === false ? "embedding" : "chat";
}
