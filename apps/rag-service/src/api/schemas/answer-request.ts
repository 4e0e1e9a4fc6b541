/** What is asked. */
import { z } from "@hono/zod-openapi";

import { id } from "./primitives.ts";
import { FilterSchema, RetrievalModeSchema, question } from "./search.ts";

export const AnswerModeSchema = z.enum(["auto", "generate", "quote"]);
export type AnswerMode = z.infer<typeof AnswerModeSchema>;

export const AnswerRequestSchema = z
  .strictObject({
    question,
    conversationId: id.optional(),
    collectionIds: z.array(id).max(100).optional().openapi({ description: "Absent: all." }),
    mode: AnswerModeSchema.optional().openapi({ description: "Default `auto`." }),
    model: z
      .string()
      .min(1)
      .max(500)
      .optional()
      .openapi({ description: "`provider/model`; absent: the chosen order." }),
    fallbacks: z.array(z.string().min(1).max(500)).max(20).optional(),
    retrieval: z
      .strictObject({
        mode: RetrievalModeSchema.optional(),
        topK: z.number().int().min(1).max(50).optional(),
        minScore: z.number().optional(),
        filter: FilterSchema.optional(),
      })
      .optional(),
    stream: z.boolean().optional().openapi({ description: "Default true: server-sent events." }),
    detach: z.boolean().optional().openapi({
      description: "Default false: the run is cancelled when its last listener leaves. True: it goes on.",
    }),
    maxTokens: z.number().int().min(1).max(100_000).optional(),
    temperature: z.number().min(0).max(2).optional(),
    seed: z.number().int().nonnegative().optional(),
  })
  .openapi("AnswerRequest");
export type AnswerRequest = z.infer<typeof AnswerRequestSchema>;
