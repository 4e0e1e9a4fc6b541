import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

import { type ErrorPhase, LlmError } from "@enginehouse/llm-core";

import { decodeFault } from "../errors.ts";
import type { Asks, ChatJob, Engine, EngineEvent, EngineOptions, FromChild, ToChild } from "../wire.ts";
import { type BatchQueue, createBatchQueue } from "./batches.ts";

/** Beside this file in the sources, beside the bundle when built. */
const IN_SOURCES = import.meta.url.endsWith(".ts");
const ENTRY = new URL(IN_SOURCES ? "./child-main.ts" : "./child-main.js", import.meta.url);

/** So much of what the child wrote to stderr is kept for the error that its death becomes. */
const KEPT_STDERR = 4_000;

const IDLE_REPLIES: { readonly [K in keyof Asks]?: () => Asks[K]["reply"] } = {
  loaded: () => [],
  unload: () => undefined,
};

/** How long a process without a model waits for the next one, in milliseconds: to start another takes half a second. */
const LINGER = 10_000;

interface Call {
  readonly operation: "chat" | keyof Asks;
  /** Where it was when last heard of: this says what the child's death means for it. */
  phase: ErrorPhase;
  readonly fail: (error: unknown) => void;
  readonly onEvents?: (events: readonly EngineEvent[]) => void;
  readonly onReply: (reply: unknown) => void;
}

interface Child {
  readonly process: ChildProcess;
  readonly calls: Map<number, Call>;
  stderr: string;
  /** Set while the process is empty and will end soon. */
  leaving: ReturnType<typeof setTimeout> | undefined;
}

/**
 * The engine in a process of its own. A model file that makes the native code abort ends that process only: the
 * calls in it fail, each with what it means for them, and the next call starts a new one.
 */
export function createChildEngine(options: EngineOptions, linger: number = LINGER): Engine {
  let child: Promise<Child> | undefined;
  let nextCall = 1;
  let closing: Promise<void> | undefined;

  const start = (): Promise<Child> => {
    if (child !== undefined) return child;
    const forget = (): void => {
      if (child === started) child = undefined;
    };
    const started = launch(options, linger, forget);
    started.catch(forget);
    child = started;
    return started;
  };

  /** An application that waits for an answer stays alive, one that only keeps a model loaded can exit. */
  function hold({ process: child, calls }: Child): void {
    if (calls.size > 0) {
      child.ref();
      child.channel?.ref();
    } else {
      child.unref();
      child.channel?.unref();
    }
  }

  async function begin(call: Call, first: (id: number) => ToChild, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (closing !== undefined) throw new LlmError("shut-down", "the engine was closed");
    const running = await start();
    signal.throwIfAborted();
    const id = nextCall++;
    const send = (message: ToChild): void => {
      // A child that has gone says so itself, by its exit.
      if (running.process.connected) running.process.send(message, () => undefined);
    };
    const finish = (): void => {
      running.calls.delete(id);
      signal.removeEventListener("abort", stop);
      hold(running);
    };
    const stop = (): void => {
      send({ type: "stop", call: id });
      finish();
      call.fail(signal.reason);
    };
    clearTimeout(running.leaving);
    running.calls.set(id, {
      ...call,
      fail(error) {
        finish();
        call.fail(error);
      },
      onReply(reply) {
        finish();
        call.onReply(reply);
      },
    });
    hold(running);
    signal.addEventListener("abort", stop, { once: true });
    send(first(id));
    return () => send({ type: "more", call: id });
  }

  return {
    chat(job: ChatJob, signal: AbortSignal) {
      const leave = new AbortController();
      const all = AbortSignal.any([signal, leave.signal]);
      const queue: BatchQueue<EngineEvent> = createBatchQueue(Number.POSITIVE_INFINITY);
      let more: Promise<() => void> | undefined;
      const begun = (): Promise<() => void> =>
        (more ??= begin(
          {
            operation: "chat",
            phase: "request",
            fail: (error) => queue.end(error),
            onEvents: (events) => {
              for (const event of events) queue.push(event);
            },
            onReply: () => queue.end(),
          },
          (call) => ({ type: "chat", call, job }),
          all,
        ));
      let reads = 0;
      return {
        async next() {
          const askForMore = await begun();
          if (reads > 0) askForMore();
          reads += 1;
          const batch = await queue.take();
          return batch === undefined ? { value: undefined, done: true } : { value: batch, done: false };
        },
        async return() {
          leave.abort();
          queue.end();
          return { value: undefined, done: true };
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
    ask(op, job, signal, onEvent) {
      // Without a process there is nothing loaded, and no need to start one to be told so.
      const idle = IDLE_REPLIES[op];
      if (child === undefined && idle !== undefined) return Promise.resolve(idle() as never);
      return new Promise((resolve, reject) => {
        const call: Call = {
          operation: op,
          phase: op === "load" ? "load" : "request",
          fail: reject,
          ...(onEvent !== undefined && {
            onEvents: (events: readonly EngineEvent[]) => events.forEach(onEvent),
          }),
          onReply: (reply) => resolve(reply as never),
        };
        begin(call, (id) => ({ type: "ask", call: id, op, job }), signal).catch(reject);
      });
    },
    close() {
      return (closing ??= (async () => {
        const running = await child?.catch(() => undefined);
        if (running === undefined) return;
        for (const call of running.calls.values())
          call.fail(new LlmError("shut-down", "the engine was closed"));
        await end(running);
      })());
    },
  };
}

async function launch(options: EngineOptions, linger: number, onEnd: () => void): Promise<Child> {
  const { fork } = await import("node:child_process");
  const made = fork(fileURLToPath(ENTRY), [], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: IN_SOURCES ? ["--conditions=@enginehouse/source"] : [],
    windowsHide: true,
  });
  const child: Child = { process: made, calls: new Map(), stderr: "", leaving: undefined };
  made.stderr?.setEncoding("utf8");
  made.stderr?.on("data", (text: string) => (child.stderr = (child.stderr + text).slice(-KEPT_STDERR)));
  if (made.stderr !== null && "unref" in made.stderr) (made.stderr as { unref(): void }).unref();
  made.on("message", (message: FromChild) => {
    if (message.type !== "empty") return receive(child, message);
    // A process without a model only takes memory. In one turn of the loop no call can begin in between.
    const leave = (): void => {
      if (child.calls.size > 0) return;
      onEnd();
      void end(child);
    };
    clearTimeout(child.leaving);
    child.leaving = setTimeout(leave, linger);
    child.leaving.unref();
  });
  const failure = new Promise<never>((_, reject) => made.once("error", reject));
  failure.catch(() => undefined);
  // `close` comes after the last of stderr, which says why.
  made.once("close", (code, signal) => {
    onEnd();
    for (const call of child.calls.values()) call.fail(deathOf(call, child, code, signal));
  });
  const spawned = new Promise<void>((resolve) => made.once("spawn", resolve));
  try {
    await Promise.race([spawned, failure]);
  } catch (cause) {
    throw new LlmError("unavailable", "the engine's process could not be started", {
      hint: 'set isolation to "none" where an application may not start processes',
      cause,
    });
  }
  made.send({ type: "open", options } satisfies ToChild, () => undefined);
  return child;
}

function receive(child: Child, message: Exclude<FromChild, { type: "empty" }>): void {
  const call = child.calls.get(message.call);
  if (call === undefined) return;
  switch (message.type) {
    case "events":
      call.phase = phaseAfter(call.phase, message.events);
      call.onEvents?.(message.events);
      break;
    case "reply":
      call.onReply(message.reply);
      break;
    case "fault":
      call.fail(decodeFault(message.fault));
      break;
  }
}

function phaseAfter(phase: ErrorPhase, events: readonly EngineEvent[]): ErrorPhase {
  const last = events.at(-1);
  if (last === undefined) return phase;
  if (last.kind === "status") return last.status === "loading" ? "load" : "first-event";
  return last.kind === "ready" ? "first-event" : "stream";
}

async function end({ process: child }: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.ref();
  child.kill("SIGKILL");
  await gone;
}

/** What the end of its process means for a call: a load that kills it will do so again, anything else may succeed. */
function deathOf(call: Call, child: Child, code: number | null, signal: NodeJS.Signals | null): LlmError {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  const cause = new Error(
    child.stderr.trim() === "" ? `the engine's process ended ${how}` : child.stderr.trim(),
  );
  if (call.phase === "load") {
    return new LlmError("model-load-failed", `the engine's process ended ${how} while it loaded the model`, {
      phase: "load",
      // A kill from outside says nothing about the file.
      retryable: signal === "SIGKILL" || signal === "SIGTERM",
      hint: "the file may be damaged: fetch it again",
      cause,
    });
  }
  const broken = call.phase === "stream";
  return new LlmError(
    broken ? "stream-interrupted" : "provider-internal",
    `the engine's process ended ${how}${broken ? " in the middle of the answer" : ""}`,
    { phase: call.phase, retryable: true, hint: "send the request again: it starts a new engine", cause },
  );
}
