/** Searches and what they find. */
import { z } from "@hono/zod-openapi";

import { count, id, milliseconds } from "./primitives.ts";

export const RetrievalModeSchema = z.enum(["hybrid", "dense", "lexical"]);
export type RetrievalMode = z.infer<typeof RetrievalModeSchema>;

export const ScoreSchema = z
  .object({
    fused: z.number(),
    lexical: z.number().optional(),
    dense: z.number().optional(),
    rerank: z.number().optional(),
  })
  .openapi("Score");
export type Score = z.infer<typeof ScoreSchema>;

export const HitSchema = z
  .object({
    chunkId: id,
    documentId: id,
    versionId: id,
    collectionId: id,
    name: z.string().openapi({ description: "The file's name." }),
    title: z.string(),
    text: z.string(),
    page: count.optional(),
    charStart: count,
    charEnd: count,
    headingPath: z.array(z.string()),
    score: ScoreSchema,
  })
  .openapi("Hit");
export type Hit = z.infer<typeof HitSchema>;

export const FilterSchema = z
  .strictObject({
    documentIds: z.array(id).max(1_000).optional(),
  })
  .openapi("Filter");
export type Filter = z.infer<typeof FilterSchema>;

/** Bounds, named so that a refusal can say the figure. */
export const MAX_QUESTION_CHARACTERS = 8_000;
export const question = z
  .string()
  .trim()
  .min(1, "write a question")
  .max(
    MAX_QUESTION_CHARACTERS,
    `at most ${MAX_QUESTION_CHARACTERS} characters; add longer text as a document`,
  );

export const SearchRequestSchema = z
  .strictObject({
    query: question,
    collectionIds: z.array(id).max(100).optional().openapi({ description: "Absent: all." }),
    mode: RetrievalModeSchema.optional(),
    topK: z.number().int().min(1).max(100).optional(),
    minScore: z.number().optional(),
    filter: FilterSchema.optional(),
    rerank: z.boolean().optional().openapi({ description: "Not yet supported: true is refused." }),
  })
  .openapi("SearchRequest");
export type SearchRequest = z.infer<typeof SearchRequestSchema>;
export const SearchResponseSchema = z
  .object({
    hits: z.array(HitSchema),
    mode: RetrievalModeSchema.openapi({
      description: "What was done: `lexical` when there are no vectors yet.",
    }),
    coverage: z
      .number()
      .openapi({ description: "How much of the question the best passage has in words, 0 to 1." }),
    warnings: z.array(z.string()),
    timings: z.object({ totalMs: milliseconds }),
  })
  .openapi("SearchResponse");
export type SearchResponse = z.infer<typeof SearchResponseSchema>;
