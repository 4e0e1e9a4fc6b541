/** What went wrong, as RFC 9457 wants it. */
import { z } from "@hono/zod-openapi";

import { milliseconds } from "./primitives.ts";

export const ProblemSchema = z
  .object({
    type: z.string().openapi({ example: "about:blank" }),
    title: z.string().openapi({ description: "The kind of problem, in a few words." }),
    status: z.number().int(),
    detail: z.string().openapi({ description: "What happened, and with whom." }),
    code: z.string().openapi({ description: "One word for programs.", example: "model-not-found" }),
    retryable: z.boolean().optional().openapi({ description: "Whether the same request may work later." }),
    hint: z.string().optional().openapi({ description: "What to do next." }),
    providerId: z.string().optional(),
    model: z.string().optional(),
    runId: z
      .string()
      .optional()
      .openapi({ description: "The run that failed: what had come is kept there." }),
    retryAfterMs: milliseconds.optional(),
    issues: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .openapi({ description: "What is wrong with which field of the request." }),
  })
  .openapi("Problem");
export type Problem = z.infer<typeof ProblemSchema>;
