/** How an answer grows. */
import { z } from "@hono/zod-openapi";

import { AnswerModeSchema } from "./answer-request.ts";
import { CitationSchema } from "./citation.ts";
import { id, milliseconds, time } from "./primitives.ts";
import { ProblemSchema } from "./problem.ts";
import {
  ContextBudgetSchema,
  NoticeSchema,
  RunSchema,
  SentenceSchema,
  TimingsSchema,
  UsageSchema,
} from "./run.ts";
import { HitSchema, RetrievalModeSchema } from "./search.ts";

/** `event:` is the type, `id:` the number within the run, from 1. */
export const RunEventSchema = z
  .discriminatedUnion("type", [
    z.object({
      type: z.literal("run.started"),
      runId: id,
      question: z.string(),
      requestedMode: AnswerModeSchema,
      conversationId: z.string(),
      createdAt: time,
    }),
    z.object({ type: z.literal("query.rewritten"), query: z.string() }),
    z.object({
      type: z.literal("retrieval.completed"),
      hits: z.array(HitSchema),
      quotes: z.array(CitationSchema),
      mode: RetrievalModeSchema,
      coverage: z.number(),
      warnings: z.array(z.string()),
      retrievalMs: milliseconds,
    }),
    z.object({ type: z.literal("notice"), notice: NoticeSchema }),
    z.object({ type: z.literal("context.budget"), context: ContextBudgetSchema }),
    z.object({
      type: z.literal("attempt.started"),
      attempt: z.number().int().positive(),
      providerId: z.string(),
      model: z.string(),
      demonstration: z.boolean(),
    }),
    z.object({
      type: z.literal("attempt.status"),
      attempt: z.number().int().positive(),
      state: z.enum(["queued", "loading", "prefill"]),
      progress: z.number().min(0).max(1).optional(),
    }),
    z.object({
      type: z.literal("attempt.failed"),
      attempt: z.number().int().positive(),
      providerId: z.string(),
      model: z.string(),
      error: ProblemSchema,
    }),
    z.object({ type: z.literal("reasoning.delta"), text: z.string() }),
    z.object({ type: z.literal("text.delta"), text: z.string() }),
    SentenceSchema.extend({ type: z.literal("sentence") }),
    z.object({ type: z.literal("citation"), citation: CitationSchema }),
    z.object({ type: z.literal("usage"), usage: UsageSchema }),
    z.object({
      type: z.literal("metrics"),
      providerId: z.string(),
      model: z.string(),
      demonstration: z.boolean(),
      timings: TimingsSchema,
    }),
    z.object({ type: z.literal("run.completed"), run: RunSchema }),
    z.object({ type: z.literal("run.error"), error: ProblemSchema, run: RunSchema }),
    z.object({ type: z.literal("run.cancelled"), run: RunSchema }),
  ])
  .openapi("RunEvent");
export type RunEvent = z.infer<typeof RunEventSchema>;
