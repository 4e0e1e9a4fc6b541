import { LlmError } from "@enginehouse/llm-core";

import type { Located } from "./pointer.ts";
import type { Shape } from "./shape.ts";

/** What the parts of the reader share. */
export interface Reader {
  /** The shape of all these schemas at once; `undefined` when no value fits them all. */
  read(all: readonly Located[], depth: number): Shape | undefined;
  warn(keyword: string, pointer: string, message: string): void;
  /** Throws `unsupported`, or warns where the caller asked for that and the check knows the keyword. */
  refuse(keyword: string, pointer: string, message: string): void;
  /** Whether a literal is valid under all these schemas. */
  accepts(value: unknown, all: readonly Located[]): boolean;
}

export function invalid(pointer: string, message: string): LlmError {
  return new LlmError("invalid-request", `the schema at ${pointer} is wrong: ${message}`);
}
