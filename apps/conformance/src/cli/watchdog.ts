import { Worker } from "node:worker_threads";

/** Notices, from a thread of its own, that the program's event loop stands still. */
export interface Watchdog {
  /** What runs now, in words for whoever reads why the program was ended. */
  running(what: string): void;
  stop(): void;
}

/**
 * A plugin that spins for ever takes every timer with it: no limit of a check comes due, and nothing in its thread can
 * say so. After `afterMs` without a beat the thread says what ran, and ends the process by a signal, as nothing else
 * still can.
 */
export function startWatchdog(afterMs: number): Watchdog {
  const memory = new SharedArrayBuffer(HEAD + TEXT);
  const beats = new Int32Array(memory, 0, 2);
  const text = new Uint8Array(memory, HEAD, TEXT);
  const worker = new Worker(THREAD, {
    eval: true,
    workerData: { memory, afterMs, ticks: TICKS, head: HEAD },
  });
  worker.unref();
  const beat = setInterval(() => void Atomics.add(beats, 0, 1), afterMs / TICKS).unref();
  return {
    running(what) {
      const { written } = new TextEncoder().encodeInto(what, text);
      Atomics.store(beats, 1, written);
    },
    stop() {
      clearInterval(beat);
      void worker.terminate();
    },
  };
}

/** Bytes for the beats and for the length of the text, and for the text. */
const HEAD = 8;
const TEXT = 1_024;
/** It counts looks and not time, so that a machine that slept does not wake to this. */
const TICKS = 20;

const THREAD = `
const { writeSync } = require("node:fs");
const { workerData } = require("node:worker_threads");
const { memory, afterMs, ticks, head } = workerData;
const beats = new Int32Array(memory, 0, 2);
let last = -1;
let still = 0;
setInterval(() => {
  const now = Atomics.load(beats, 0);
  still = now === last ? still + 1 : 0;
  last = now;
  if (still < ticks) return;
  const what = Buffer.from(new Uint8Array(memory, head, Atomics.load(beats, 1))).toString();
  try {
    writeSync(2, "\\nThe plugin blocks the event loop: nothing has moved for " + afterMs / 1000 + " s while " + what +
      " ran.\\n  Everything that it shares the process with stands still, too. Await, or compute in a worker.\\n");
  } finally {
    // A pipe that is full or that nobody reads is no reason to stay.
    process.kill(process.pid, "SIGKILL");
  }
}, afterMs / ticks);
`;
