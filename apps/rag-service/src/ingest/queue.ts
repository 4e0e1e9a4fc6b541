/** Runs jobs by id, a few at a time, in the order they came. The jobs themselves lie in the store. */
export interface Queue {
  add(id: string): void;
  /** Takes it out of the line, or stops it and waits until it has. */
  cancel(id: string): Promise<void>;
  /** Resolves when nothing waits or runs. */
  idle(): Promise<void>;
  /** Stops what runs and takes nothing more. */
  close(): Promise<void>;
}

export function createQueue(
  concurrency: number,
  run: (id: string, signal: AbortSignal) => Promise<void>,
): Queue {
  const waiting: string[] = [];
  const running = new Map<string, { readonly controller: AbortController; readonly done: Promise<void> }>();
  let resting: (() => void)[] = [];
  let closed = false;

  function next(): void {
    while (!closed && running.size < concurrency) {
      const id = waiting.shift();
      if (id === undefined) break;
      const controller = new AbortController();
      const done = run(id, controller.signal).finally(() => {
        running.delete(id);
        next();
      });
      running.set(id, { controller, done });
    }
    if (running.size === 0 && (closed || waiting.length === 0)) {
      for (const resolve of resting) resolve();
      resting = [];
    }
  }

  return {
    add(id) {
      if (closed || running.has(id) || waiting.includes(id)) return;
      waiting.push(id);
      next();
    },
    async cancel(id) {
      const at = waiting.indexOf(id);
      if (at >= 0) waiting.splice(at, 1);
      const job = running.get(id);
      job?.controller.abort();
      await job?.done;
      next();
    },
    idle() {
      if (running.size === 0 && waiting.length === 0) return Promise.resolve();
      return new Promise((resolve) => resting.push(resolve));
    },
    async close() {
      closed = true;
      const jobs = [...running.values()];
      for (const { controller } of jobs) controller.abort();
      await Promise.all(jobs.map(({ done }) => done));
      next();
    },
  };
}
