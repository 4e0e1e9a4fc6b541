/** Folders and examples as sources of documents. */
import { z } from "@hono/zod-openapi";

import { GLOB_LIMITS, globFault } from "../../ingest/glob.ts";
import { DocumentAcceptedSchema } from "./document.ts";
import { count, id } from "./primitives.ts";
import { ProblemSchema } from "./problem.ts";

const { patterns, length } = GLOB_LIMITS;
const globs = z
  .array(z.string().max(length, { error: `a pattern has at most ${length} characters`, abort: true }))
  .max(patterns, { error: `there are at most ${patterns} patterns`, abort: true })
  .superRefine((list, context) => {
    const fault = globFault(list);
    if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
  });

export const SourceCreateSchema = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .max(4_096)
      .openapi({ description: "A folder of this computer, as an absolute path." }),
    include: globs.optional().openapi({
      description:
        "Patterns for the path inside the folder: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any folders. " +
        "Absent: every kind of file that can be read.",
      example: ["**/*.md", "**/*.pdf"],
    }),
    exclude: globs.optional().openapi({
      description: "Patterns for what is left out of it.",
      example: ["**/draft*"],
    }),
    watch: z.boolean().optional().openapi({ description: "Not yet supported: true is refused." }),
  })
  .openapi("SourceCreate");
export type SourceCreate = z.infer<typeof SourceCreateSchema>;
export const SourceAcceptedSchema = z
  .object({
    path: z.string(),
    documents: z.array(DocumentAcceptedSchema),
    refused: z
      .array(z.object({ name: z.string(), problem: ProblemSchema }))
      .openapi({ description: "Files that were not taken, and folders that could not be read." }),
  })
  .openapi("SourceAccepted");
export type SourceAccepted = z.infer<typeof SourceAcceptedSchema>;

export const ExampleSchema = z
  .object({
    id,
    title: z.string(),
    description: z.string(),
    mediaType: z.string(),
    bytes: count,
    questions: z.array(z.string()).openapi({ description: "Questions that this document answers." }),
    documentId: z.string().optional().openapi({ description: "Present once it was added." }),
  })
  .openapi("Example");
export type Example = z.infer<typeof ExampleSchema>;
export const ExampleListSchema = z.object({ examples: z.array(ExampleSchema) }).openapi("ExampleList");
export type ExampleList = z.infer<typeof ExampleListSchema>;
export const ExamplesAddSchema = z
  .strictObject({
    ids: z.array(id).max(100).optional().openapi({ description: "Absent: all of them." }),
    collectionId: id.optional(),
  })
  .openapi("ExamplesAdd");
export type ExamplesAdd = z.infer<typeof ExamplesAddSchema>;
