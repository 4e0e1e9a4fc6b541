import process from "node:process";

import { fromHere, isInCode } from "./leftovers.ts";

/** Rejections and exceptions that nobody took, while it watches. */
export interface Strays {
  list(): readonly string[];
  stop(): void;
}

const EVENTS = ["unhandledRejection", "uncaughtException"] as const;

/** While it watches, nobody else hears of them: a runner of tests would call its whole run failed. */
export function watchStrays(): Strays {
  const found: string[] = [];
  const others = EVENTS.map((event) => ({ event, listeners: process.rawListeners(event) }));
  const own = {
    unhandledRejection: (reason: unknown) =>
      void found.push(`a promise was rejected and nobody took it: ${textOf(reason)}`),
    uncaughtException: (error: unknown) =>
      void found.push(`an exception was thrown where nobody could take it: ${textOf(error)}`),
  };
  for (const event of EVENTS) {
    process.removeAllListeners(event);
    process.on(event, own[event]);
  }
  return {
    list: () => found,
    stop() {
      for (const { event, listeners } of others) {
        process.off(event, own[event]);
        for (const listener of listeners) process.on(event, listener as () => void);
      }
    },
  };
}

function textOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return `${thrown.name}: ${thrown.message}${placeOf(thrown)}`;
}

/** ` (at create (src/index.ts:12:3))`: the first place outside of Node, where there is one. */
export function placeOf({ stack = "" }: Error): string {
  const place = stack.split("\n").find((line) => /^\s+at /.test(line) && isInCode(line));
  return place === undefined ? "" : ` (${fromHere(place.trim())})`;
}
