/** Work that goes on after its request: reading documents, computing vectors, fetching models. */
import { z } from "@hono/zod-openapi";

import { id, time } from "./primitives.ts";
import { ProblemSchema } from "./problem.ts";

export const JobStatusSchema = z.enum(["queued", "running", "completed", "failed", "cancelled"]);
export type JobStatus = z.infer<typeof JobStatusSchema>;
export const JobSchema = z
  .object({
    id,
    kind: z.enum(["ingest", "index", "download"]).openapi({
      description:
        "`ingest` takes in a document, `index` computes missing vectors, `download` fetches a model.",
    }),
    status: JobStatusSchema,
    stage: z.string().openapi({ example: "extracting", description: "What it is doing now, in one word." }),
    done: z.number().nonnegative(),
    total: z.number().nonnegative().optional().openapi({ description: "Absent while it is not known." }),
    unit: z.enum(["pages", "chunks", "bytes", "steps"]).optional(),
    title: z.string().openapi({ description: "The document or model it works on." }),
    documentId: z.string().optional(),
    collectionId: z.string().optional(),
    providerId: z.string().optional(),
    model: z.string().optional(),
    error: ProblemSchema.optional(),
    waitsFor: ProblemSchema.optional().openapi({
      description:
        "What keeps it from going on, such as a full disk. It goes on by itself when that is over.",
    }),
    createdAt: time,
    updatedAt: time,
  })
  .openapi("Job");
export type Job = z.infer<typeof JobSchema>;
export const JobListSchema = z.object({ jobs: z.array(JobSchema) }).openapi("JobList");
export type JobList = z.infer<typeof JobListSchema>;

/** `event:` is the type; each carries the whole job, so that a late listener needs no history. */
export const JobEventSchema = z
  .discriminatedUnion("type", [
    z.object({
      type: z.literal("job.progress"),
      stage: z.string(),
      done: z.number(),
      total: z.number().optional(),
      job: JobSchema,
    }),
    z.object({ type: z.literal("job.completed"), job: JobSchema }),
    z.object({ type: z.literal("job.failed"), job: JobSchema, error: ProblemSchema }),
    z.object({ type: z.literal("job.cancelled"), job: JobSchema }),
  ])
  .openapi("JobEvent");
export type JobEvent = z.infer<typeof JobEventSchema>;
