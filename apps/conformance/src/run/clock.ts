/** The real clock, taken before any check may put a fake one in its place. */
const { setTimeout, clearTimeout, setImmediate, performance } = globalThis;

export const now = performance.now.bind(performance);

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** Until what is due now has happened: microtasks, and rejections that nobody took. */
export const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

export interface Deadline {
  /** Settles at the end of the time, and never before. */
  readonly over: Promise<"over">;
  clear(): void;
}

export function deadline(ms: number): Deadline {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<"over">((resolve) => {
    timer = setTimeout(() => resolve("over"), ms);
  });
  return { over, clear: () => clearTimeout(timer) };
}
