/** A question with all that came of it. */
import { z } from "@hono/zod-openapi";

import { AnswerModeSchema } from "./answer-request.ts";
import { CitationSchema } from "./citation.ts";
import { count, id, milliseconds, time } from "./primitives.ts";
import { ProblemSchema } from "./problem.ts";
import { HitSchema, RetrievalModeSchema } from "./search.ts";

export const ModelChoiceSchema = z
  .object({
    providerId: z.string(),
    model: z.string(),
    ref: z.string().openapi({ description: "`provider/model`." }),
    demonstration: z.boolean().openapi({ description: "A toy that shows how it works and knows nothing." }),
  })
  .openapi("ModelChoice");
export type ModelChoice = z.infer<typeof ModelChoiceSchema>;

export const SentenceSchema = z
  .object({
    start: count,
    end: count,
    supported: z.boolean().optional().openapi({
      description: "Absent: it says nothing that could be checked (a heading, a lead-in, code).",
    }),
    citations: z
      .array(z.number().int().positive())
      .openapi({ description: "Numbers of the sources that support it." }),
    markers: z
      .array(
        z.object({
          start: count,
          end: count,
          n: z.number().int(),
          verdict: z.enum(["kept", "moved", "dropped"]),
          to: z.number().int().optional(),
        }),
      )
      .openapi({ description: "The `[n]` that the model wrote itself, with what became of each." }),
  })
  .openapi("Sentence");
export type Sentence = z.infer<typeof SentenceSchema>;

export const UsageSchema = z
  .object({
    inputTokens: count.optional(),
    outputTokens: count.optional(),
    totalTokens: count.optional(),
    cachedInputTokens: count.optional(),
  })
  .openapi("Usage");
export type Usage = z.infer<typeof UsageSchema>;

export const ContextBudgetSchema = z
  .object({
    window: count.optional().openapi({ description: "The model's window in tokens; absent: not known." }),
    used: count.openapi({ description: "Tokens of the prompt." }),
    reserved: count.openapi({ description: "Tokens kept free for the answer." }),
    counted: z
      .enum(["model", "estimate"])
      .openapi({ description: "Counted by the model's tokenizer, or estimated." }),
    sources: z
      .array(
        z.object({
          n: z.number().int().positive(),
          chunkId: id,
          documentId: id,
          title: z.string(),
          page: count.optional(),
          form: z.enum(["parent", "window", "sentences"]),
          tokens: count.optional(),
        }),
      )
      .openapi({ description: "What the model was given, in the order of its numbers." }),
    dropped: z
      .array(z.object({ chunkId: id, documentId: id, title: z.string(), reason: z.string() }))
      .openapi({ description: "What was found but did not fit." }),
    droppedTurns: count.openapi({ description: "Earlier turns of the conversation that did not fit." }),
    messages: z
      .array(z.object({ role: z.string(), text: z.string() }))
      .openapi({ description: "The prompt that was really sent." }),
  })
  .openapi("ContextBudget");
export type ContextBudget = z.infer<typeof ContextBudgetSchema>;

export const AttemptSchema = z
  .object({
    attempt: z.number().int().positive(),
    providerId: z.string(),
    model: z.string(),
    demonstration: z.boolean(),
    status: z.enum(["running", "answered", "failed", "cancelled"]),
    durationMs: milliseconds.optional(),
    error: ProblemSchema.optional(),
  })
  .openapi("Attempt");
export type Attempt = z.infer<typeof AttemptSchema>;

/** What the reader must know before the answer itself. */
export const NoticeSchema = z
  .object({
    code: z.enum([
      "not-in-documents",
      "no-documents",
      "still-indexing",
      "no-model",
      "models-failed",
      "answer-cut",
      "warning",
    ]),
    message: z.string(),
    hint: z.string().optional(),
  })
  .openapi("Notice");
export type Notice = z.infer<typeof NoticeSchema>;

export const TimingsSchema = z
  .object({
    retrievalMs: milliseconds.optional(),
    timeToFirstTokenMs: milliseconds.optional(),
    totalMs: milliseconds.optional(),
    tokensPerSecond: z.number().nonnegative().optional(),
  })
  .openapi("Timings");
export type Timings = z.infer<typeof TimingsSchema>;

export const RunStatusSchema = z.enum(["running", "completed", "failed", "cancelled"]);
export type RunStatus = z.infer<typeof RunStatusSchema>;

/** One question with all that came of it: the JSON answer, and what a reload reads. */
export const RunSchema = z
  .object({
    runId: id,
    status: RunStatusSchema,
    question: z.string(),
    requestedMode: AnswerModeSchema,
    mode: z.enum(["generate", "quote"]).openapi({ description: "How it was answered in the end." }),
    conversationId: z.string(),
    collectionIds: z.array(z.string()).optional(),
    answer: z.string(),
    reasoning: z.string().optional(),
    notices: z.array(NoticeSchema),
    citations: z.array(CitationSchema),
    quotes: z
      .array(CitationSchema)
      .openapi({ description: "The best sentences of the documents, whatever the mode." }),
    sentences: z.array(SentenceSchema),
    supportedShare: z.number().min(0).max(1).optional(),
    hits: z.array(HitSchema),
    retrievalMode: RetrievalModeSchema.optional(),
    model: ModelChoiceSchema.optional().openapi({
      description: "Who wrote it. Absent: nobody did, it is quoted.",
    }),
    finishReason: z.string().optional(),
    usage: UsageSchema.optional(),
    timings: TimingsSchema,
    attempts: z.array(AttemptSchema),
    context: ContextBudgetSchema.optional(),
    error: ProblemSchema.optional(),
    createdAt: time,
    finishedAt: time.optional(),
    lastEventId: count,
  })
  .openapi("Run");
export type Run = z.infer<typeof RunSchema>;
export const RunListSchema = z.object({ runs: z.array(RunSchema) }).openapi("RunList");
export type RunList = z.infer<typeof RunListSchema>;
