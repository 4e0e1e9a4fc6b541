import { readLlamaFault } from "../errors.ts";
import type { Asks, ChatJob, Engine, EngineEvent, EngineOptions, ModelRef, Resident } from "../wire.ts";
import { type BatchQueue, createBatchQueue } from "./batches.ts";
import { generateAnswer } from "./generation.ts";
import { type Native, startNative, stopNative } from "./llama.ts";
import { createModelCache, type Lease } from "./model-cache.ts";
import { countTokens, embedTexts, rankDocuments } from "./reading.ts";

/** So many events may wait for the reader before the generation pauses. */
const AHEAD = 256;

interface Work {
  readonly signal: AbortSignal;
  readonly stop: () => void;
  readonly end: () => void;
}

const READY: EngineEvent = { kind: "ready", lacks: [] };

/** An engine in the process that asks. */
export interface LocalEngine extends Engine {
  /** Whether no model is loaded, and none is being loaded. */
  isEmpty(): boolean;
}

/** The engine of this process. `onEmpty`: the last model has gone. */
export function createEngine(options: EngineOptions, onEmpty: () => void = () => undefined): LocalEngine {
  let native: Promise<Native> | undefined;
  const start = (): Promise<Native> =>
    (native ??= startNative(options).catch((error: unknown) => {
      native = undefined;
      throw error;
    }));
  const cache = createModelCache(start, options, onEmpty);
  const running = new Set<AbortController>();
  let closed: Promise<void> | undefined;

  /** A signal of its own for one piece of work, which ends with the caller's, and with the engine. */
  function follow(signal: AbortSignal): Work {
    const controller = new AbortController();
    const stop = (): void => controller.abort(signal.reason);
    running.add(controller);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    return {
      signal: controller.signal,
      stop: () => controller.abort(),
      end() {
        running.delete(controller);
        signal.removeEventListener("abort", stop);
      },
    };
  }

  async function withModel<Result>(
    job: { readonly model: ModelRef; readonly keepAlive?: number | undefined },
    signal: AbortSignal,
    onEvent: (event: EngineEvent) => void,
    use: (lease: Lease, native: Native) => Promise<Result>,
  ): Promise<Result> {
    const loading = (progress: number): void => onEvent({ kind: "status", status: "loading", progress });
    const lease = await cache.acquire(job.model, signal, loading);
    try {
      return await use(lease, await start());
    } finally {
      lease.release(job.keepAlive);
    }
  }

  async function answer(job: ChatJob, signal: AbortSignal, queue: BatchQueue<EngineEvent>): Promise<void> {
    const began = performance.now();
    await withModel(job, signal, queue.push, async ({ open, loadMs }, { library }) => {
      const chat = await open.chat();
      signal.throwIfAborted();
      const room = (): Promise<void> | undefined => queue.room();
      await generateAnswer(job, { library, chat, signal, emit: queue.push, room, began, loadMs });
    });
  }

  type Answerer<K extends keyof Asks> = (
    job: Asks[K]["job"],
    signal: AbortSignal,
    onEvent: (event: EngineEvent) => void,
  ) => Promise<Asks[K]["reply"]>;

  const asks: { [K in keyof Asks]: Answerer<K> } = {
    embed: (job, signal, onEvent) =>
      withModel(job, signal, onEvent, async ({ open }) => {
        const reader = await open.embedder();
        onEvent(READY);
        return embedTexts(reader, job.texts, signal);
      }),
    rerank: (job, signal, onEvent) =>
      withModel(job, signal, onEvent, async ({ open }) => {
        const reader = await open.ranker();
        onEvent(READY);
        return rankDocuments(reader, job.query, job.documents, signal);
      }),
    count: (job, signal, onEvent) =>
      withModel(job, signal, onEvent, ({ open }) => countTokens(open, job, signal, () => onEvent(READY))),
    load: (job, signal, onEvent) =>
      withModel(job, signal, onEvent, async ({ open }): Promise<Resident> => {
        await open.open();
        const { ram, vram } = open.memory();
        const { id, path } = job.model;
        return {
          id,
          path,
          contextWindow: open.window(),
          memoryBytes: ram,
          gpuMemoryBytes: vram,
          expiresAt: undefined,
        };
      }),
    async unload({ path }) {
      await cache.unload(path);
      return undefined;
    },
    loaded: () => Promise.resolve(cache.resident()),
  };

  return {
    isEmpty: () => cache.isEmpty(),
    chat(job, signal) {
      const queue = createBatchQueue<EngineEvent>(AHEAD);
      let work: Work | undefined;
      const begin = (): Work => {
        const begun = follow(signal);
        // A generation that pauses for its reader must hear that nobody reads any more.
        begun.signal.addEventListener("abort", () => queue.end(begun.signal.reason), { once: true });
        answer(job, begun.signal, queue)
          .then(
            () => queue.end(),
            (error: unknown) => queue.end(begun.signal.aborted ? error : readLlamaFault(error)),
          )
          .finally(begun.end);
        return begun;
      };
      return {
        async next() {
          work ??= begin();
          const batch = await queue.take();
          return batch === undefined ? { value: undefined, done: true } : { value: batch, done: false };
        },
        async return() {
          work?.stop();
          queue.end();
          return { value: undefined, done: true };
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
    async ask(op, job, signal, onEvent = () => undefined) {
      const work = follow(signal);
      try {
        return await asks[op](job, work.signal, onEvent);
      } catch (error) {
        if (work.signal.aborted) throw error;
        throw readLlamaFault(error);
      } finally {
        work.end();
      }
    },
    close() {
      return (closed ??= (async () => {
        for (const controller of running) controller.abort();
        const started = await native?.catch(() => undefined);
        if (started !== undefined) await stopNative(started);
      })());
    },
  };
}
