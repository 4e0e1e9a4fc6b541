import { setTimeout as sleep } from "node:timers/promises";

/** Rejects as soon as the signal is aborted: whoever waits for a client that has gone stops there. */
export const wait = async (time: number | "forever" | "never", gone: AbortSignal): Promise<void> => {
  gone.throwIfAborted();
  if (typeof time === "number") {
    if (time > 0) await sleep(time, undefined, { signal: gone });
    return;
  }
  await new Promise((_, reject) => {
    gone.addEventListener("abort", () => reject(new Error("the client has gone")), { once: true });
  });
};

/** So many places; who comes when all are taken waits for its turn. */
export const createPlaces = (places: number) => {
  let taken = 0;
  const queue: (() => void)[] = [];
  const leave = (): void => {
    const next = queue.shift();
    if (next === undefined) taken -= 1;
    else next();
  };
  const enter = async (gone: AbortSignal): Promise<() => void> => {
    gone.throwIfAborted();
    if (taken < places) {
      taken += 1;
      return leave;
    }
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        gone.removeEventListener("abort", giveUp);
        resolve(leave);
      };
      const giveUp = (): void => {
        queue.splice(queue.indexOf(turn), 1);
        reject(new Error("the client has gone"));
      };
      queue.push(turn);
      gone.addEventListener("abort", giveUp, { once: true });
    });
  };
  return { enter };
};
