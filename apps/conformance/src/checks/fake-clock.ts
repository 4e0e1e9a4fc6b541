/** Time that passes as fast as wanted, for all timers that are set while it is in force. */
export interface FakeClock {
  /** Lets so many milliseconds pass, a little at a time, so that what waits for a timer can set the next one. */
  pass(ms: number, until?: () => boolean): Promise<void>;
  restore(): void;
}

interface Timer {
  due: number;
  readonly every: number | undefined;
  readonly delay: number;
  readonly run: () => void;
}

/** Node's own fetch counts its hidden limits in ticks of this many milliseconds. */
const TICK = 499;

/**
 * Replaces the global timers and clocks of this process. What was set before goes on in real time; so does what
 * `node:timers` gives out, and the timers inside Node.
 */
export function fakeClock(): FakeClock {
  const { setTimeout, clearTimeout, setInterval, clearInterval, performance } = globalThis;
  const { setImmediate } = globalThis;
  const realNow = performance.now;
  const realDate = Date.now;
  const timers = new Map<object, Timer>();
  let passed = 0;

  const set = (repeat: boolean) =>
    function fake(callback: (...given: unknown[]) => void, delay = 0, ...given: unknown[]): object {
      const least = Math.max(1, Number(delay) || 0);
      const timer: Timer = {
        due: passed + least,
        delay: least,
        every: repeat ? least : undefined,
        run: () => callback(...given),
      };
      const handle = {
        ref: () => handle,
        unref: () => handle,
        hasRef: () => true,
        refresh: () => {
          timer.due = passed + timer.delay;
          timers.set(handle, timer);
          return handle;
        },
        close: () => {
          timers.delete(handle);
          return handle;
        },
        [Symbol.dispose]: () => void timers.delete(handle),
        [Symbol.toPrimitive]: () => 0,
      };
      timers.set(handle, timer);
      return handle;
    };
  const clear = (real: (handle: never) => void) => (handle: unknown) => {
    if (typeof handle === "object" && handle !== null && timers.delete(handle)) return;
    real(handle as never);
  };

  globalThis.setTimeout = set(false) as unknown as typeof setTimeout;
  globalThis.setInterval = set(true) as unknown as typeof setInterval;
  globalThis.clearTimeout = clear(clearTimeout as (handle: never) => void) as typeof clearTimeout;
  globalThis.clearInterval = clear(clearInterval as (handle: never) => void) as typeof clearInterval;
  performance.now = () => realNow.call(performance) + passed;
  Date.now = () => realDate() + passed;

  const ring = (): void => {
    for (const [handle, timer] of timers) {
      if (timer.due > passed) continue;
      if (timer.every === undefined) timers.delete(handle);
      else timer.due += timer.every;
      timer.run();
    }
  };

  return {
    async pass(ms, until = () => false) {
      for (const end = passed + ms; passed < end && !until();) {
        passed = Math.min(end, passed + TICK);
        ring();
        // What a timer started gets its turn before time goes on.
        await new Promise((resolve) => void setImmediate(resolve));
      }
      await new Promise((resolve) => void setTimeout(resolve, 5));
    },
    restore() {
      Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
      // It belongs to the prototype.
      Reflect.deleteProperty(performance, "now");
      Date.now = realDate;
    },
  };
}
