import type { Missing } from "./live.js";

/** The real server, on a port of its own, with one thread. */
export interface LlamaServer {
  readonly address: string;
  /** Whether any of its slots works on something now; needs the flag `--slots`. */
  busy(): Promise<boolean>;
  stop(): Promise<void>;
}

/** Starts it with a model's file, or the test ends here as skipped, with the reason in the report. */
export declare function startLlama(
  context: { skip(note?: string): never },
  model: string | Missing,
  flags?: readonly string[],
): Promise<LlamaServer>;
