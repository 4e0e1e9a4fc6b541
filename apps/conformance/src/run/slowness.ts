import { AsyncLocalStorage } from "node:async_hooks";

const scope = new AsyncLocalStorage<number>();

/** Runs a check in front of a backend that may take so many times longer than a fake. */
export const slowed = <Result>(times: number, run: () => Result): Result => scope.run(times, run);

/** How many times longer a wait of the check that runs now may be. */
export const slowness = (): number => scope.getStore() ?? 1;
