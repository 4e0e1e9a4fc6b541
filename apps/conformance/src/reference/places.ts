/** So many may go on at once; the others wait for their turn. */
export interface Places {
  /** Settles with how to leave. */
  enter(signal: AbortSignal): Promise<() => void>;
}

export function createPlaces(count: number): Places {
  const queue: (() => void)[] = [];
  let taken = 0;
  const leave = (): void => {
    taken -= 1;
    queue.shift()?.();
  };
  return {
    async enter(signal) {
      while (taken >= count) {
        await new Promise<void>((resolve, reject) => {
          const stop = (): void => {
            queue.splice(queue.indexOf(turn), 1);
            reject(signal.reason as Error);
          };
          const turn = (): void => {
            signal.removeEventListener("abort", stop);
            resolve();
          };
          queue.push(turn);
          signal.addEventListener("abort", stop, { once: true });
        });
      }
      signal.throwIfAborted();
      taken += 1;
      return leave;
    },
  };
}
