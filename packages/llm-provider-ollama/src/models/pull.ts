import { type CallOptions, isLlmError, LlmError, type PullProgress } from "@enginehouse/llm-core";
import { callLines, createSharedWork } from "@enginehouse/llm-wire";

import type { Connection } from "../connection/connection.ts";
import { readErrorLine } from "../errors.ts";
import type { Configured } from "../settings.ts";
import { isRecord, type PullLine } from "../wire.ts";
import { keyOf } from "./name.ts";
import { createProgress } from "./progress.ts";

export interface Pulls {
  /** Pulls of one model share one request, which ends when the last of them leaves. The server keeps what has arrived. */
  pull(model: string, options?: CallOptions): AsyncGenerator<PullProgress, void, undefined>;
  close(): Promise<void>;
}

export function createPulls(connection: Connection, { insecurePulls, pullStallMs }: Configured): Pulls {
  const work = createSharedWork<PullProgress>();

  async function run(
    model: string,
    timeouts: CallOptions["timeouts"],
    signal: AbortSignal,
    report: (progress: PullProgress) => void,
  ): Promise<void> {
    const progress = createProgress();
    const stall = startStall(timeouts?.idle ?? pullStallMs, signal);
    const body = { model, stream: true, ...(insecurePulls && { insecure: true }) };
    // The clock that counts is the stall's: a layer of many gigabytes is verified in silence.
    const quiet = { firstEvent: Number.POSITIVE_INFINITY, idle: Number.POSITIVE_INFINITY };
    const call = connection.wireCall(
      "/api/pull",
      { signal: stall.signal, timeouts: { ...quiet, ...timeouts } },
      model,
      body,
    );
    try {
      for await (const lines of callLines(connection.endpoint, call)) {
        for (const text of lines) {
          const line = readLine(text);
          if (line.error !== undefined && line.error !== null)
            throw readErrorLine(line.error, { model, path: "/api/pull" }, { phase: "pull" });
          const told = progress.add(line);
          if (told.moved) stall.moved(told.status === "verifying");
          report(told.status === "done" ? { ...told.progress, model } : told.progress);
          if (told.status === "done") return;
        }
      }
      throw new LlmError("stream-interrupted", "the download ended before it was done", {
        phase: "pull",
        hint: "pull again: what has arrived is kept",
      });
    } catch (error) {
      throw stall.fault ?? connection.advise(error);
    } finally {
      stall.end();
    }
  }

  return {
    async *pull(model, options) {
      const course = work.follow(
        keyOf(model),
        async (signal, report) => {
          try {
            await run(model, options?.timeouts, signal, report);
          } catch (error) {
            // The server's own download was being cancelled by another client when this one joined it.
            if (signal.aborted || !isCancelled(error)) throw error;
            await run(model, options?.timeouts, signal, report);
          }
        },
        options?.signal,
      );
      // Who joined may have called the model otherwise.
      for await (const progress of course)
        yield progress.model === undefined ? progress : { ...progress, model };
    },
    close: () => work.close(),
  };
}

function readLine(text: string): PullLine {
  try {
    const line: unknown = JSON.parse(text);
    if (isRecord(line)) return line;
  } catch (cause) {
    throw new LlmError("invalid-response", "Ollama sent a line that is not JSON", {
      phase: "pull",
      cause,
      hint: ADDRESS,
    });
  }
  throw new LlmError("invalid-response", "Ollama sent a line that is no object", {
    phase: "pull",
    hint: ADDRESS,
  });
}

const ADDRESS = "is this the address of an Ollama server?";

const isCancelled = (error: unknown): boolean => isLlmError(error) && /context canceled/i.test(error.message);

interface Stall {
  readonly signal: AbortSignal;
  readonly fault: LlmError | undefined;
  /** Figures grew or something new began. What is `quiet` may take its time in silence. */
  moved(quiet: boolean): void;
  end(): void;
}

/** A layer that keeps failing repeats its line again and again, without an error: only its figure tells. */
function startStall(ms: number, signal: AbortSignal): Stall {
  const controller = new AbortController();
  let fault: LlmError | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => controller.abort(signal.reason);
  const pass = (): void => {
    fault = new LlmError("timeout", `the download stood still for ${ms / 1_000} s`, {
      phase: "pull",
      hint: "pull again: what has arrived is kept. The server's log says why it waits; pullStallMs is how long it may",
    });
    controller.abort(fault);
  };
  const moved = (quiet: boolean): void => {
    clearTimeout(timer);
    timer = quiet || ms === Number.POSITIVE_INFINITY ? undefined : setTimeout(pass, ms);
  };
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  moved(false);
  return {
    signal: controller.signal,
    get fault() {
      return fault;
    },
    moved,
    end() {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    },
  };
}
