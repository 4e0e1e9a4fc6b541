import type { CallOptions } from "@enginehouse/llm-core";

import type { Clock } from "./clock.ts";
import type { Parts } from "./parts.ts";
import type { PlainLine } from "./wire.ts";

/** One call on the wire, for all operations. */
export interface Wire {
  /** A request whose reply is JSON. */
  json(method: string, path: string, body: unknown, options: CallOptions | undefined): Promise<unknown>;
  /** A request whose reply comes in lines, an array for each read. */
  lines(
    path: string,
    body: unknown,
    clock: Clock,
    told: { begun: boolean },
  ): AsyncGenerator<readonly PlainLine[]>;
}

/** The deadline's own error, the caller's own reason, or what the fault is called. */
export function finalFault(error: unknown, clock: Clock, parts: Parts, begun: boolean): unknown {
  if (clock.fault !== undefined) return clock.fault;
  if (clock.signal.aborted) return clock.signal.reason;
  return parts.transportFault(error, begun);
}
