import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

import { type ErrorPhase, LlmError } from "@enginehouse/llm-core";

import { decodeFault } from "../errors.ts";
import type { EngineEvent, EngineOptions, FromChild, ToChild } from "../wire.ts";

/** One call that a child works on. */
export interface Call {
  /** Where it was when last heard of: this says what the child's death means for it. */
  phase: ErrorPhase;
  readonly fail: (error: unknown) => void;
  readonly onEvents?: (events: readonly EngineEvent[]) => void;
  readonly onReply: (reply: unknown) => void;
}

/** An engine's process, as its parent sees it. */
export interface Child {
  readonly process: ChildProcess;
  readonly calls: Map<number, Call>;
  stderr: string;
  /** The number of the last call that was sent to it. */
  lastCall: number;
  /** Set while the process is empty and will end soon. */
  leaving: ReturnType<typeof setTimeout> | undefined;
}

/** Beside this file in the sources, beside the bundle when built. */
const IN_SOURCES = import.meta.url.endsWith(".ts");
const ENTRY = new URL(IN_SOURCES ? "./child-main.ts" : "./child-main.js", import.meta.url);

/** So much of what the child wrote to stderr is kept for the error that its death becomes. */
const KEPT_STDERR = 4_000;

/** Starts a process. `onEnd`: it takes no more calls. */
export async function launch(options: EngineOptions, linger: number, onEnd: () => void): Promise<Child> {
  const { fork } = await import("node:child_process");
  const made = fork(fileURLToPath(ENTRY), [], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: IN_SOURCES ? ["--conditions=@enginehouse/source"] : [],
    env: environment(),
    windowsHide: true,
  });
  const child: Child = { process: made, calls: new Map(), stderr: "", lastCall: 0, leaving: undefined };
  made.stderr?.setEncoding("utf8");
  made.stderr?.on("data", (text: string) => (child.stderr = (child.stderr + text).slice(-KEPT_STDERR)));
  if (made.stderr !== null && "unref" in made.stderr) (made.stderr as { unref(): void }).unref();
  made.on("message", (message: FromChild) => {
    if (message.type !== "empty") return receive(child, message);
    // Said before it heard of the last call: it may have a model again by now, and will say so if not.
    if (message.after !== child.lastCall) return;
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
  // Stays: a later fault of the process, such as a signal that could not be sent, must not end the application.
  const failure = new Promise<never>((_, reject) => made.on("error", reject));
  failure.catch(() => undefined);
  // `close` comes after the last of stderr, which says why.
  made.once("close", (code, signal) => {
    onEnd();
    clearTimeout(child.leaving);
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

/**
 * The library reads variables while it is imported, and one that it cannot read ends it. `CI`, which it wants to be
 * true or false, is whatever a build server sets, and says nothing here; one of its own that is empty is meant to be
 * none. For others empty may have a meaning: `CUDA_VISIBLE_DEVICES` then hides every GPU.
 */
function environment(): NodeJS.ProcessEnv {
  const set = Object.entries(process.env).filter(
    ([name, value]) =>
      name !== "CI" && (value !== "" || !/^NODE_LLAMA_CPP_|^npm_config_node_llama_cpp_/i.test(name)),
  );
  return Object.fromEntries(set);
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

export async function end({ process: child }: Child): Promise<void> {
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
    // A kill from outside says nothing about the file.
    const killed = signal === "SIGKILL" || signal === "SIGTERM";
    return new LlmError("model-load-failed", `the engine's process ended ${how} while it loaded the model`, {
      phase: "load",
      retryable: killed,
      hint: killed
        ? "something killed it, which may have been the system for want of memory: send the request again"
        : "the file may be damaged: fetch it again",
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
