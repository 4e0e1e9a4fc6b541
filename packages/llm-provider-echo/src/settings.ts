import { lazySchema } from "@enginehouse/llm-core";
import type { ZodType } from "zod";

/** What a user may configure. Read once, when the provider is first used. */
export interface EchoSettings {
  /** The window in tokens, a token being four characters. Default 4 096. */
  readonly contextWindow?: number | undefined;
  /** Milliseconds between two words, to see an answer grow. Default 0. */
  readonly delayMs?: number | undefined;
  /** Answers with these texts in turn, from the first again after the last, instead of the user's words. */
  readonly replies?: readonly string[] | undefined;
}

export const DEFAULTS = { contextWindow: 4_096, delayMs: 0 } as const;

export const settings = lazySchema(async () => {
  const { z } = await import("zod"); // slow: not at the plugin's import
  const schema: ZodType<EchoSettings> = z.strictObject({
    contextWindow: z.int().positive().optional(),
    delayMs: z.int().nonnegative().optional(),
    replies: z.array(z.string()).min(1).optional(),
  });
  return schema;
});
