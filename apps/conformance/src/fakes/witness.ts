import { AssertionError } from "node:assert";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

import type { Seen, SeenRequest } from "../backend.ts";

const POLL_MS = 3;

export type Arrival = Omit<SeenRequest, "at" | "leftAt" | "answeredAt" | "sentBytes">;

/** What becomes of one request. */
export interface Note {
  left(): void;
  answered(): void;
  /** So many bytes of the reply have been taken by the connection. */
  sent(bytes: number): void;
}

/** Keeps what a backend sees. */
export interface Witness {
  readonly seen: Seen;
  arrived(request: Arrival): Note;
  /** Returns what to call when it closes. */
  connected(): () => void;
  /** Returns what to call when it is over. */
  generates(): () => void;
}

export const createWitness = (loaded: () => Seen["loaded"]): Witness => {
  const started = performance.now();
  const now = (): number => performance.now() - started;
  const requests: SeenRequest[] = [];
  let openSockets = 0;
  let generating = 0;
  let mostAtOnce = 0;

  const seen: Seen = {
    requests,
    get openSockets() {
      return openSockets;
    },
    get generating() {
      return generating;
    },
    get mostAtOnce() {
      return mostAtOnce;
    },
    get loaded() {
      return loaded();
    },
    async until(when, says, withinMs = 2_000) {
      const last = now() + withinMs;
      while (!when(seen)) {
        if (now() > last) {
          throw new AssertionError({
            message: `waited ${withinMs} ms for: ${says}; seen: ${describe(seen)}`,
          });
        }
        await sleep(POLL_MS);
      }
    },
  };

  return {
    seen,
    arrived(arrival) {
      const request: { -readonly [Key in keyof SeenRequest]: SeenRequest[Key] } = {
        ...arrival,
        at: now(),
        leftAt: undefined,
        answeredAt: undefined,
        sentBytes: 0,
      };
      requests.push(request);
      return {
        left() {
          request.leftAt ??= now();
        },
        answered() {
          request.answeredAt ??= now();
        },
        sent(bytes) {
          request.sentBytes = (request.sentBytes ?? 0) + bytes;
        },
      };
    },
    connected() {
      openSockets += 1;
      return once(() => {
        openSockets -= 1;
      });
    },
    generates() {
      generating += 1;
      mostAtOnce = Math.max(mostAtOnce, generating);
      return once(() => {
        generating -= 1;
      });
    },
  };
};

/** What was seen, in one line. */
export const describe = (seen: Seen): string => {
  const requests = seen.requests.map(
    (request) => `${request.method} ${request.path} (${request.operation}, ${endOf(request)})`,
  );
  const models = seen.loaded.map((model) => model.id);
  return [
    requests.length === 0 ? "no request" : requests.join(", "),
    `${seen.openSockets} open sockets`,
    `${seen.generating} generating`,
    models.length === 0 ? "nothing loaded" : `loaded ${models.join(", ")}`,
  ].join("; ");
};

const endOf = (request: SeenRequest): string => {
  if (request.leftAt !== undefined) return `left at ${Math.round(request.leftAt)} ms`;
  return request.answeredAt === undefined ? "open" : `answered at ${Math.round(request.answeredAt)} ms`;
};

const once = (run: () => void): (() => void) => {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    run();
  };
};
