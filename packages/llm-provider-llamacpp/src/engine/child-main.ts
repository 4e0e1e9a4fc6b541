import { encodeFault } from "../errors.ts";
import type { Engine, EngineEvent, FromChild, ToChild } from "../wire.ts";
import { createEngine, type LocalEngine } from "./engine.ts";

// The engine's own process. It lives as long as its parent holds the channel, and dies at once when that ends: a
// native thread that still computes would delay an ordinary exit, or crash it.

/**
 * Messages of one call are not sent more often than this, in milliseconds: what is ready in between travels together.
 * Shorter, a fast model is slowed by its own messages; longer, a reader would see it.
 */
const PAUSE = 12;

let engine: LocalEngine | undefined;
let lastCall = 0;
const running = new Map<number, { readonly abort: AbortController; more: () => void }>();

const send = (message: FromChild): void => {
  if (process.connected) process.send?.(message);
};

process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
// Whoever stops the application in its terminal signals the whole group: the parent decides.
process.on("SIGINT", () => undefined);

process.on("message", (message: ToChild) => {
  switch (message.type) {
    case "open":
      engine = createEngine(message.options, tellWhenEmpty);
      break;
    case "chat":
      void serve(message.call, (started, signal) => relay(message, started, signal));
      break;
    case "ask":
      void serve(message.call, async (started, signal) => {
        const onEvent = (event: EngineEvent): void =>
          send({ type: "events", call: message.call, events: [event] });
        const reply = await started.ask(message.op, message.job as never, signal, onEvent);
        send({ type: "reply", call: message.call, reply });
      });
      break;
    case "more":
      running.get(message.call)?.more();
      break;
    case "stop":
      running.get(message.call)?.abort.abort();
      running.get(message.call)?.more();
      break;
  }
});

async function serve(
  call: number,
  work: (engine: Engine, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const abort = new AbortController();
  lastCall = call;
  running.set(call, { abort, more: () => undefined });
  try {
    if (engine === undefined) throw new Error("the engine was not opened");
    await work(engine, abort.signal);
  } catch (error) {
    send({ type: "fault", call, fault: encodeFault(error) });
  } finally {
    running.delete(call);
    tellWhenEmpty();
  }
}

function tellWhenEmpty(): void {
  if (running.size === 0 && engine?.isEmpty() === true) send({ type: "empty", after: lastCall });
}

/** One batch for each that the parent's reader takes: while it does not read, the generation waits. */
async function relay(
  { call, job }: ToChild & { type: "chat" },
  started: Engine,
  signal: AbortSignal,
): Promise<void> {
  let credit = 1;
  let wake: () => void = () => undefined;
  const entry = running.get(call);
  if (entry !== undefined) {
    entry.more = () => {
      credit += 1;
      wake();
    };
  }
  let writtenAt = 0;
  for await (const events of started.chat(job, signal)) {
    send({ type: "events", call, events });
    if (events.at(-1)?.kind === "end") break;
    credit -= 1;
    while (credit <= 0 && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
    const early = PAUSE - (performance.now() - writtenAt);
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    // The first words are not held back for what only announced them.
    if (events.some(({ kind }) => kind !== "status" && kind !== "ready")) writtenAt = performance.now();
  }
  send({ type: "reply", call, reply: undefined });
}
