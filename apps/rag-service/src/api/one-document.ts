import { createRoute, z } from "@hono/zod-openapi";

import type { Service } from "../service.ts";
import { presentChunk, presentDocument } from "./present.ts";
import { fault, notFound } from "./problem.ts";
import { createRouter, failures, IdParam, PageQuery, reply } from "./routing.ts";
import { ChunkListSchema, DeletedSchema, DocumentContentSchema, DocumentSchema } from "./schemas.ts";

/** A document has one id everywhere; by way of its collection it is found as well. */
const PATHS = ["/api/v1/documents/{id}", "/api/v1/collections/{collectionId}/documents/{id}"] as const;
const DocumentParam = IdParam.extend({ collectionId: z.string().min(1).max(200).optional() });

export function oneDocumentRoutes(service: Service) {
  const { store, ingestor } = service;
  const router = createRouter();
  for (const path of PATHS) {
    router
      .openapi(
        createRoute({
          method: "get",
          path,
          summary: "One document",
          request: { params: DocumentParam },
          responses: { 200: reply(DocumentSchema, "As it is now."), ...failures },
        }),
        async (context) =>
          context.json(presentDocument(await requireDocument(service, context.req.valid("param"))), 200),
      )
      .openapi(
        createRoute({
          method: "get",
          path: `${path}/content`,
          summary: "The extracted text, into which all offsets point",
          request: { params: DocumentParam },
          responses: { 200: reply(DocumentContentSchema, "Text and pages."), ...failures },
        }),
        async (context) => {
          const { id, version, text } = await requireText(service, context.req.valid("param"));
          const starts = await store.readPages(id);
          const pages = starts.map(({ page, charStart }, index) => ({
            page,
            charStart,
            charEnd: starts[index + 1]?.charStart ?? text.length,
          }));
          const { title, mediaType } = version;
          return context.json({ documentId: id, versionId: version.id, title, mediaType, text, pages }, 200);
        },
      )
      .openapi(
        createRoute({
          method: "get",
          path: `${path}/chunks`,
          summary: "The pieces that are searched",
          request: { params: DocumentParam, query: PageQuery },
          responses: { 200: reply(ChunkListSchema, "One page of them, in order."), ...failures },
        }),
        async (context) => {
          const { id, version } = await requireText(service, context.req.valid("param"));
          const { offset, limit } = context.req.valid("query");
          const chunks = (await store.listChunks(id, { from: offset, limit })).map(presentChunk);
          return context.json(
            { documentId: id, versionId: version.id, chunks, total: version.windows, offset, limit },
            200,
          );
        },
      )
      .openapi(
        createRoute({
          method: "delete",
          path,
          summary: "Delete a document with all that belongs to it",
          request: { params: DocumentParam },
          responses: { 200: reply(DeletedSchema, "It is gone."), ...failures },
        }),
        async (context) => {
          const { id } = await requireDocument(service, context.req.valid("param"));
          const { documents } = await ingestor.deleteDocuments({ documentIds: [id] });
          return context.json({ deleted: documents, ids: [id] }, 200);
        },
      );
  }
  return router;
}

async function requireDocument({ store }: Service, { id, collectionId }: z.infer<typeof DocumentParam>) {
  const row = await store.getDocument(id);
  if (row !== undefined && collectionId !== undefined && row.collectionId !== collectionId)
    throw notFound("document", id, `It is in the collection "${row.collectionId}".`);
  if (row === undefined)
    throw notFound("document", id, "It was deleted, or it never was; list the documents of its collection.");
  return row;
}

/** The document with its text, or why there is none yet. */
async function requireText(service: Service, param: z.infer<typeof DocumentParam>) {
  const { id, version, job } = await requireDocument(service, param);
  const text = version === undefined ? undefined : await service.store.readText(id);
  if (version === undefined || text === undefined) {
    const failed = job?.status === "failed" ? job.error : undefined;
    throw fault({
      status: 409,
      code: "document-not-ready",
      detail:
        failed === undefined
          ? "The document is still being read."
          : `The document could not be read: ${failed.message}.`,
      hint: failed?.hint ?? "Wait until its job has ended.",
      retryable: failed === undefined,
    });
  }
  return { id, version, text };
}
