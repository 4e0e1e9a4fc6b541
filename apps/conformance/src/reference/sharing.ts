/** One piece of work for all who ask for it at the same time. */
export interface Sharing<Value> {
  /** What the work tells from now on. It is started for the first who asks, and stopped when the last has left. */
  follow(
    key: string,
    signal: AbortSignal | undefined,
    start: (signal: AbortSignal) => AsyncIterable<Value>,
  ): AsyncGenerator<Value>;
}

interface Work<Value> {
  readonly stop: AbortController;
  readonly waiting: Set<() => void>;
  followers: number;
  /** How often it told something: who comes late gets the latest only. */
  told: number;
  latest: Value | undefined;
  end: { readonly error?: unknown } | undefined;
}

export function createSharing<Value>(): Sharing<Value> {
  const running = new Map<string, Work<Value>>();

  const begin = (key: string, start: (signal: AbortSignal) => AsyncIterable<Value>): Work<Value> => {
    const work: Work<Value> = {
      stop: new AbortController(),
      waiting: new Set(),
      followers: 0,
      told: 0,
      latest: undefined,
      end: undefined,
    };
    const wake = (): void => {
      for (const resolve of work.waiting) resolve();
      work.waiting.clear();
    };
    const run = async (): Promise<void> => {
      for await (const value of start(work.stop.signal)) {
        work.latest = value;
        work.told += 1;
        wake();
      }
    };
    const over = (end: { readonly error?: unknown }): void => {
      work.end = end;
      if (running.get(key) === work) running.delete(key);
      wake();
    };
    run().then(
      () => over({}),
      (error: unknown) => over({ error }),
    );
    running.set(key, work);
    return work;
  };

  return {
    async *follow(key, signal, start) {
      const work = running.get(key) ?? begin(key, start);
      const leave = (): void => {
        for (const resolve of work.waiting) resolve();
      };
      let heard = 0;
      work.followers += 1;
      signal?.addEventListener("abort", leave, { once: true });
      try {
        for (;;) {
          signal?.throwIfAborted();
          if (work.told > heard) {
            heard = work.told;
            yield work.latest as Value;
          } else if (work.end === undefined) {
            await new Promise<void>((resolve) => work.waiting.add(resolve));
          } else {
            if ("error" in work.end) throw work.end.error;
            return;
          }
        }
      } finally {
        signal?.removeEventListener("abort", leave);
        work.followers -= 1;
        if (work.followers === 0) {
          if (running.get(key) === work) running.delete(key);
          work.stop.abort();
        }
      }
    },
  };
}
