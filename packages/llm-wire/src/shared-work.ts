import { LlmError } from "@enginehouse/llm-core";

/** Work that several callers may want at once: it runs once, and ends when the last of them leaves. */
export interface SharedWork<Progress> {
  /** Joins the work under this key, or starts it. The newest progress is what a slow reader gets; the last one it always gets. */
  follow(
    key: string,
    start: Work<Progress>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Progress, void, undefined>;
  isRunning(key: string): boolean;
  /** Cancels everything and waits for it. */
  close(): Promise<void>;
}

export type Work<Progress> = (signal: AbortSignal, report: (progress: Progress) => void) => Promise<void>;

interface Job<Progress> {
  readonly controller: AbortController;
  readonly wakers: Set<() => void>;
  readonly settled: Promise<void>;
  followers: number;
  latest: Progress | undefined;
  reports: number;
  state: "running" | "leaving" | "done" | "failed";
  fault: unknown;
}

export function createSharedWork<Progress>(): SharedWork<Progress> {
  const jobs = new Map<string, Job<Progress>>();

  function begin(key: string, start: Work<Progress>): Job<Progress> {
    const controller = new AbortController();
    const wakers = new Set<() => void>();
    const wake = (): void => {
      for (const waker of wakers) waker();
      wakers.clear();
    };
    const run = async (): Promise<void> => {
      await Promise.resolve(); // so that `job` is there when the first report comes
      try {
        await start(controller.signal, (progress) => {
          job.latest = progress;
          job.reports++;
          wake();
        });
        job.state = "done";
      } catch (error) {
        job.state = "failed";
        job.fault = error;
      } finally {
        jobs.delete(key);
        wake();
      }
    };
    const job: Job<Progress> = {
      controller,
      wakers,
      settled: run(),
      followers: 0,
      latest: undefined,
      reports: 0,
      state: "running",
      fault: undefined,
    };
    jobs.set(key, job);
    return job;
  }

  /** A job whose last follower has just left is waited for: joining it would mean its end. */
  async function join(
    key: string,
    start: Work<Progress>,
    signal: AbortSignal | undefined,
  ): Promise<Job<Progress>> {
    for (let job = jobs.get(key); job !== undefined; job = jobs.get(key)) {
      if (job.state === "running") {
        job.followers++; // before anything is awaited: the others may leave meanwhile
        return job;
      }
      await job.settled;
    }
    throwIfAborted(signal);
    const job = begin(key, start);
    job.followers++;
    return job;
  }

  return {
    isRunning: (key) => jobs.has(key),
    async *follow(key, start, signal) {
      throwIfAborted(signal);
      const job = await join(key, start, signal);
      let seen = 0;
      let stop: (() => void) | undefined;
      try {
        for (;;) {
          throwIfAborted(signal);
          if (job.reports > seen && job.latest !== undefined) {
            seen = job.reports;
            yield job.latest;
            continue;
          }
          if (job.state === "failed") throw job.fault;
          if (job.state === "done") return;
          await new Promise<void>((resolve) => {
            job.wakers.add(resolve);
            stop = () => resolve();
            signal?.addEventListener("abort", stop, { once: true });
          });
          if (stop !== undefined) signal?.removeEventListener("abort", stop);
        }
      } finally {
        job.followers--;
        if (job.followers === 0 && job.state === "running") {
          job.state = "leaving";
          job.controller.abort();
        }
        if (job.followers === 0) await job.settled;
      }
    },
    async close() {
      for (const job of jobs.values()) job.controller.abort();
      await Promise.all([...jobs.values()].map((job) => job.settled));
    },
  };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new LlmError("aborted", "the pull was cancelled", { cause: signal.reason });
}
