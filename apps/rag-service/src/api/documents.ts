import { createRoute, z } from "@hono/zod-openapi";

import type { Service } from "../service.ts";
import { requireCollection } from "./collections.ts";
import { presentDocument } from "./present.ts";
import { fault } from "./problem.ts";
import { createRouter, failures, IdParam, PageQuery, reply } from "./routing.ts";
import { DeletedSchema, DocumentListSchema } from "./schemas.ts";
import { takeDocuments } from "./take-documents.ts";
import { describeUploads } from "./upload-description.ts";

const PATH = "/api/v1/collections/{id}";

export function documentRoutes(service: Service) {
  const { store, ingestor } = service;
  const router = createRouter();

  describeUploads(router);
  router.post("/api/v1/collections/:id/documents", (context) => takeDocuments(service, context, undefined));
  router.put("/api/v1/collections/:id/documents/:externalId", (context) =>
    takeDocuments(service, context, context.req.param("externalId")),
  );
  return router
    .openapi(
      createRoute({
        method: "get",
        path: `${PATH}/documents`,
        summary: "The documents of a collection",
        request: { params: IdParam, query: PageQuery },
        responses: { 200: reply(DocumentListSchema, "One page of them, newest first."), ...failures },
      }),
      async (context) => {
        const { id } = await requireCollection(store, context.req.valid("param").id);
        const { offset, limit } = context.req.valid("query");
        const rows = await store.listDocuments({ collectionId: id });
        const sorted = rows.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
        const documents = sorted.slice(offset, offset + limit).map(presentDocument);
        return context.json({ documents, total: rows.length, offset, limit }, 200);
      },
    )
    .openapi(
      createRoute({
        method: "delete",
        path: `${PATH}/documents`,
        summary: "Delete documents by filter",
        request: {
          params: IdParam,
          query: z.object({
            ids: z.string().min(1).max(50_000).optional().openapi({ description: "Separated by commas." }),
            externalIdPrefix: z.string().min(1).max(1_000).optional(),
          }),
        },
        responses: { 200: reply(DeletedSchema, "How many went."), ...failures },
      }),
      async (context) => {
        const { id } = await requireCollection(store, context.req.valid("param").id);
        const { ids, externalIdPrefix } = context.req.valid("query");
        if (ids === undefined && externalIdPrefix === undefined) {
          throw fault({
            status: 400,
            code: "invalid-request",
            detail: "No filter was given, and a whole collection is not emptied by accident.",
            hint: `Name \`ids\` or \`externalIdPrefix\`, or delete the collection "${id}".`,
            retryable: false,
          });
        }
        const documentIds = ids?.split(",").filter((one) => one !== "");
        const { documents } = await ingestor.deleteDocuments({
          collectionId: id,
          documentIds,
          externalIdPrefix,
        });
        return context.json({ deleted: documents, ids: documentIds ?? [] }, 200);
      },
    );
}
