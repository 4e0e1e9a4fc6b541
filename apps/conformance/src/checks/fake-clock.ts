/** Time that passes as fast as wanted, for all timers that are set while it is in force. */
export interface FakeClock {
  /** Waits, in real time, for the timer that Node's own fetch may have set before: from its next tick on it follows this clock. */
  takeOver(): Promise<void>;
  /** Lets so many milliseconds pass, a little at a time, so that what waits for a timer can set the next one. */
  pass(ms: number, until?: () => boolean): Promise<void>;
  /** Real time goes on; what is still to ring rings in it. */
  restore(): void;
}

/** A timer of Node, as far as it shows what it was made for. */
interface NodeTimer {
  _onTimeout: (() => void) | null;
  _idleTimeout: number;
  refresh(): unknown;
}

interface Held {
  due: number;
  readonly delay: number;
  readonly repeats: boolean;
  readonly ring: () => void;
}

type Set = (callback: () => void, delay?: number, ...given: unknown[]) => unknown;

/** Node's own fetch counts its hidden limits in ticks of this many milliseconds. */
const TICK = 499;

/**
 * Replaces the global timers and clocks of this process. What was set before goes on in real time until it is set
 * again; so does what `node:timers` gives out, and the timers inside Node.
 */
export function fakeClock(): FakeClock {
  const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, performance } = globalThis;
  const realNow = performance.now;
  const realDate = Date.now;
  const held = new Map<NodeTimer, Held>();
  let passed = 0;

  /** Takes a real timer out of real time. */
  const hold = (timer: NodeTimer, repeats: boolean): void => {
    const { _onTimeout: ring, _idleTimeout: delay } = timer;
    if (ring === null) return;
    clearTimeout(timer as never);
    // Cleared, it has forgotten both; it must be able to go on.
    timer._onTimeout = ring;
    timer._idleTimeout = delay;
    held.set(timer, { due: passed + delay, delay, repeats, ring: () => ring.call(timer) });
  };

  const holding =
    (set: Set, repeats: boolean): Set =>
    (callback, delay, ...given) => {
      const timer = set(callback, delay, ...given) as NodeTimer;
      hold(timer, repeats);
      return timer;
    };

  const clearing = (clear: (timer: never) => void) => (timer: unknown) => {
    held.delete(timer as NodeTimer);
    clear(timer as never);
  };

  const probe = setTimeout(() => undefined, 0) as unknown as NodeTimer;
  clearTimeout(probe as never);
  const prototype = Object.getPrototypeOf(probe) as NodeTimer;
  const { refresh } = prototype;

  globalThis.setTimeout = holding(setTimeout as unknown as Set, false) as unknown as typeof setTimeout;
  globalThis.setInterval = holding(setInterval as unknown as Set, true) as unknown as typeof setInterval;
  globalThis.clearTimeout = clearing(clearTimeout as (timer: never) => void) as typeof clearTimeout;
  globalThis.clearInterval = clearing(clearInterval as (timer: never) => void) as typeof clearInterval;
  // Node's fetch keeps one timer for ever, and refreshes it at each tick.
  prototype.refresh = function (this: NodeTimer) {
    hold(this, held.get(this)?.repeats ?? false);
    return this;
  };
  performance.now = () => realNow.call(performance) + passed;
  Date.now = () => realDate() + passed;

  const ring = (): void => {
    for (const [timer, one] of held) {
      if (one.due > passed) continue;
      if (one.repeats) one.due += one.delay;
      else held.delete(timer);
      one.ring();
    }
  };

  return {
    takeOver: () => new Promise((resolve) => void setTimeout(resolve, TICK + 50)),
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
      prototype.refresh = refresh;
      // It belongs to the prototype.
      Reflect.deleteProperty(performance, "now");
      Date.now = realDate;
      for (const timer of held.keys()) refresh.call(timer);
      held.clear();
    },
  };
}
