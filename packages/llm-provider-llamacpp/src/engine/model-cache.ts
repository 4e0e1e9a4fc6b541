import type { EngineOptions, ModelRef, Resident } from "../wire.ts";
import { abortable } from "./abortable.ts";
import type { Native } from "./llama.ts";
import { loadModel } from "./load.ts";
import type { OpenModel } from "./model.ts";

/** The models in memory: each loaded once, kept while it is used and for a while after. */
export interface ModelCache {
  /** The model, held until `release`. Loads it where it is not there; callers at the same time share the load. */
  acquire(ref: ModelRef, signal: AbortSignal, onProgress: (progress: number) => void): Promise<Lease>;
  /** Waits for what still uses it. */
  unload(path: string): Promise<void>;
  resident(): Resident[];
  isEmpty(): boolean;
}

export interface Lease {
  readonly open: OpenModel;
  /** How long this lease waited for the load, in milliseconds. */
  readonly loadMs: number;
  release(keepAlive: number | undefined): void;
}

interface Entry {
  readonly ref: ModelRef;
  readonly loading: Promise<OpenModel>;
  readonly abandon: AbortController;
  readonly listeners: Set<(progress: number) => void>;
  open: OpenModel | undefined;
  users: number;
  /** Set when the entry is on its way out: the next caller loads anew. */
  leaving: { readonly gone: Promise<void>; readonly settle: () => void } | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  expiresAt: number | undefined;
}

export function createModelCache(
  native: () => Promise<Native>,
  options: EngineOptions,
  onEmpty: () => void,
): ModelCache {
  const entries = new Map<string, Entry>();
  let leaving = 0;
  let lastLoad: Promise<unknown> = Promise.resolve();

  /** One load at a time: two that look at the free memory together would both think it theirs. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = lastLoad.then(work, work);
    lastLoad = turn.catch(() => undefined);
    return turn;
  }

  function begin(ref: ModelRef): Entry {
    const abandon = new AbortController();
    const listeners = new Set<(progress: number) => void>();
    const window = ref.contextWindow ?? options.contextWindow;
    const tell = (progress: number): void => {
      for (const listener of listeners) listener(progress);
    };
    const loading = inTurn(async () =>
      loadModel(await native(), ref, { ...options, contextWindow: window }, abandon.signal, tell),
    );
    const entry: Entry = {
      ref,
      loading,
      abandon,
      listeners,
      open: undefined,
      users: 0,
      leaving: undefined,
      timer: undefined,
      expiresAt: undefined,
    };
    entries.set(ref.path, entry);
    loading.then(
      (open) => {
        entry.open = open;
        if (entry.users === 0) void retire(entry);
      },
      () => forget(entry),
    );
    return entry;
  }

  function forget(entry: Entry): void {
    clearTimeout(entry.timer);
    if (entries.get(entry.ref.path) === entry) entries.delete(entry.ref.path);
    if (entries.size === 0 && leaving === 0) onEmpty();
  }

  function retire(entry: Entry): Promise<void> {
    if (entry.leaving === undefined) {
      let settle: () => void = () => undefined;
      const gone = new Promise<void>((resolve) => (settle = resolve));
      entry.leaving = { gone, settle };
      clearTimeout(entry.timer);
      entry.expiresAt = undefined;
      if (entries.get(entry.ref.path) === entry) entries.delete(entry.ref.path);
    }
    if (entry.users === 0) void dispose(entry);
    return entry.leaving.gone;
  }

  async function dispose(entry: Entry): Promise<void> {
    leaving += 1;
    try {
      await inTurn(async () => entry.open?.dispose());
    } finally {
      leaving -= 1;
      entry.leaving?.settle();
      forget(entry);
    }
  }

  function release(entry: Entry, keepAlive = options.keepAlive): void {
    entry.users -= 1;
    if (entry.users > 0) return;
    if (entry.leaving !== undefined || keepAlive <= 0) return void retire(entry);
    if (keepAlive === Number.POSITIVE_INFINITY) return;
    entry.expiresAt = Date.now() + keepAlive;
    entry.timer = setTimeout(() => void retire(entry), Math.min(keepAlive, LONGEST_TIMER));
    entry.timer.unref();
  }

  /** Counts the caller among the entry's users at once: between two steps the last of the others may leave it. */
  async function claim(ref: ModelRef, signal: AbortSignal): Promise<Entry> {
    const { contextWindow } = ref;
    for (;;) {
      const there = entries.get(ref.path) ?? begin(ref);
      const asked = there.ref.contextWindow ?? options.contextWindow;
      const fits = [undefined, asked, there.open?.window()].includes(contextWindow);
      if (fits && [undefined, there.ref.stamp].includes(ref.stamp)) {
        there.users += 1;
        return there;
      }
      // With another window than the one asked for, or from a file that was replaced since, it has to be loaded again.
      await abortable(retire(there), signal);
    }
  }

  return {
    async acquire(ref, signal, onProgress) {
      const began = performance.now();
      const entry = await claim(ref, signal);
      clearTimeout(entry.timer);
      entry.expiresAt = undefined;
      const wait = entry.open === undefined;
      if (wait) {
        onProgress(0);
        entry.listeners.add(onProgress);
      }
      try {
        const open = entry.open ?? (await abortable(entry.loading, signal));
        const loadMs = wait ? performance.now() - began : 0;
        let held = true;
        return {
          open,
          loadMs,
          release(keepAlive) {
            if (held) release(entry, keepAlive);
            held = false;
          },
        };
      } catch (error) {
        entry.users -= 1;
        if (entry.users === 0 && entry.open === undefined) {
          // Nobody waits for it any more: the load itself ends, and whoever comes next begins a new one.
          entry.abandon.abort(signal.reason);
          forget(entry);
        } else if (entry.users === 0) {
          entry.users += 1;
          release(entry);
        }
        throw error;
      } finally {
        entry.listeners.delete(onProgress);
      }
    },
    async unload(path) {
      const entry = entries.get(path);
      if (entry !== undefined) await retire(entry);
    },
    isEmpty: () => entries.size === 0 && leaving === 0,
    resident() {
      return [...entries.values()].flatMap(({ ref, open, expiresAt }) => {
        if (open === undefined) return [];
        const { ram, vram } = open.memory();
        const contextWindow = open.window();
        return [
          { id: ref.id, path: ref.path, contextWindow, memoryBytes: ram, gpuMemoryBytes: vram, expiresAt },
        ];
      });
    },
  };
}

/** The longest delay that `setTimeout` takes, 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1;
