/** Where a sentence stands in a document. */
import { z } from "@hono/zod-openapi";

import { count, id } from "./primitives.ts";
import { ScoreSchema } from "./search.ts";

export const CitationSchema = z
  .object({
    n: z.number().int().positive().openapi({
      description:
        "The number of the source. Several citations may share it: other sentences of one passage.",
    }),
    documentId: id,
    versionId: id,
    collectionId: id,
    name: z.string().openapi({ description: "The file's name." }),
    title: z.string(),
    chunkId: id,
    page: count.optional(),
    charStart: count.openapi({ description: "Where the quote is in the document's extracted text." }),
    charEnd: count,
    quote: z.string().openapi({ description: "Verbatim from the document." }),
    score: ScoreSchema,
    headingPath: z.array(z.string()),
    answerStart: count.optional().openapi({ description: "Where in the answer the supported sentence is." }),
    answerEnd: count.optional(),
  })
  .openapi("Citation");
export type Citation = z.infer<typeof CitationSchema>;
