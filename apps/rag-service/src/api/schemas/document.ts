/** Documents, their texts and their pieces. */
import { z } from "@hono/zod-openapi";

import { count, id, time } from "./primitives.ts";
import { ProblemSchema } from "./problem.ts";

export const DocumentStatusSchema = z.enum(["queued", "processing", "ready", "failed"]);
export type DocumentStatus = z.infer<typeof DocumentStatusSchema>;

export const DocumentSchema = z
  .object({
    id,
    collectionId: id,
    externalId: z.string().optional(),
    versionId: z
      .string()
      .optional()
      .openapi({ description: "The version that is searched. Absent until one is whole." }),
    name: z.string().openapi({ description: "The file's name, for people." }),
    title: z.string(),
    mediaType: z.string().optional().openapi({ description: "Known once it was read." }),
    bytes: count.optional(),
    characters: count.optional(),
    pages: count.optional(),
    chunks: count.optional(),
    status: DocumentStatusSchema,
    error: ProblemSchema.optional(),
    warnings: z
      .array(z.string())
      .optional()
      .openapi({ description: "What could not be read, in sentences." }),
    jobId: z.string().optional().openapi({ description: "The latest job on this document." }),
    stage: z.string().optional().openapi({ description: "What that job is doing, while it runs." }),
    progress: z
      .object({ done: z.number(), total: z.number().optional() })
      .optional()
      .openapi({ description: "How far that stage is, while it runs." }),
    createdAt: time,
    updatedAt: time,
  })
  .openapi("Document");
export type Document = z.infer<typeof DocumentSchema>;
export const DocumentListSchema = z
  .object({ documents: z.array(DocumentSchema), total: count, offset: count, limit: count })
  .openapi("DocumentList");
export type DocumentList = z.infer<typeof DocumentListSchema>;

export const DocumentTextSchema = z
  .strictObject({
    text: z.string(),
    name: z.string().trim().min(1).max(500),
    mediaType: z.string().max(200).optional(),
  })
  .openapi("DocumentText");
export type DocumentText = z.infer<typeof DocumentTextSchema>;

export const DocumentAcceptedSchema = z
  .object({
    documentId: id,
    jobId: z.string().optional().openapi({ description: "Absent when nothing has to be done." }),
    status: z.enum(["queued", "unchanged"]),
    name: z.string(),
  })
  .openapi("DocumentAccepted");
export type DocumentAccepted = z.infer<typeof DocumentAcceptedSchema>;
/** One file: its fields stand at the top, too. Several files of one upload: each in `documents`. */
export const DocumentsAcceptedSchema = DocumentAcceptedSchema.extend({
  documents: z.array(DocumentAcceptedSchema),
  refused: z
    .array(z.object({ name: z.string(), problem: ProblemSchema }))
    .openapi({ description: "Files of the same upload that could not be taken, each with its reason." }),
}).openapi("DocumentsAccepted");
export type DocumentsAccepted = z.infer<typeof DocumentsAcceptedSchema>;

export const DocumentContentSchema = z
  .object({
    documentId: id,
    versionId: id,
    title: z.string(),
    mediaType: z.string(),
    text: z.string().openapi({ description: "The extracted text. All offsets are UTF-16 indexes into it." }),
    pages: z.array(z.object({ page: count, charStart: count, charEnd: count })),
  })
  .openapi("DocumentContent");
export type DocumentContent = z.infer<typeof DocumentContentSchema>;

export const ChunkSchema = z
  .object({
    id,
    index: count,
    text: z.string(),
    charStart: count,
    charEnd: count,
    page: count.optional(),
    headingPath: z.array(z.string()),
  })
  .openapi("Chunk");
export type Chunk = z.infer<typeof ChunkSchema>;
export const ChunkListSchema = z
  .object({
    documentId: id,
    versionId: id,
    chunks: z.array(ChunkSchema),
    total: count,
    offset: count,
    limit: count,
  })
  .openapi("ChunkList");
export type ChunkList = z.infer<typeof ChunkListSchema>;

export const DeletedSchema = z.object({ deleted: count, ids: z.array(z.string()) }).openapi("Deleted");
export type Deleted = z.infer<typeof DeletedSchema>;
