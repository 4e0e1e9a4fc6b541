/** Collections: documents that are searched together. */
import { z } from "@hono/zod-openapi";

import { count, id, time } from "./primitives.ts";

export const CollectionSchema = z
  .object({
    id,
    name: z.string(),
    createdAt: time,
    documents: count,
    ready: count.openapi({ description: "Documents that can be asked." }),
    failed: count.openapi({ description: "Documents of which nothing could be read." }),
    embedder: z
      .object({
        providerId: z.string(),
        model: z.string(),
        dimensions: count.optional(),
        demonstration: z.boolean().optional(),
      })
      .optional()
      .openapi({ description: "Who made the vectors. Absent: this collection is searched by words alone." }),
  })
  .openapi("Collection");
export type Collection = z.infer<typeof CollectionSchema>;
export const CollectionListSchema = z
  .object({ collections: z.array(CollectionSchema) })
  .openapi("CollectionList");
export type CollectionList = z.infer<typeof CollectionListSchema>;

export const CollectionCreateSchema = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "use up to 63 small letters, digits and hyphens")
      .optional(),
    name: z.string().trim().min(1).max(200),
  })
  .openapi("CollectionCreate");
export type CollectionCreate = z.infer<typeof CollectionCreateSchema>;
export const CollectionPatchSchema = z
  .strictObject({ name: z.string().trim().min(1).max(200) })
  .openapi("CollectionPatch");
export type CollectionPatch = z.infer<typeof CollectionPatchSchema>;
