import { isAbsolute } from "node:path";

import { createRoute, z } from "@hono/zod-openapi";

import type { Service } from "../service.ts";
import { requireCollection } from "./collections.ts";
import { presentChunk, presentDocument } from "./present.ts";
import { fault, notFound, shorten, toProblem } from "./problem.ts";
import { body, createRouter, failures, IdParam, PageQuery, reply } from "./routing.ts";
import {
  ChunkListSchema,
  DeletedSchema,
  DocumentContentSchema,
  DocumentListSchema,
  DocumentSchema,
  DocumentsAcceptedSchema,
  DocumentTextSchema,
  SourceAcceptedSchema,
  SourceCreateSchema,
} from "./schemas.ts";
import { presentAccepted, takeDocuments } from "./take-documents.ts";

const PATH = "/api/v1/collections/{id}";
const DOCUMENT = "/api/v1/documents/{id}";

const accepted = {
  202: reply(DocumentsAcceptedSchema, "On disk; a job reads it."),
  200: reply(DocumentsAcceptedSchema, "Unchanged."),
};
const uploadBody = {
  body: {
    description: "multipart with one or more files, JSON with a text, or the raw bytes of a file.",
    required: true,
    content: {
      "multipart/form-data": { schema: z.object({ file: z.string().openapi({ format: "binary" }) }) },
      "application/json": { schema: DocumentTextSchema },
      "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) },
    },
  },
};

export function documentRoutes(service: Service) {
  const { store, ingestor } = service;
  const router = createRouter();

  // The bodies are read as they stream, so these two routes are described here and not validated by their schema.
  for (const [method, path, summary] of [
    ["post", `${PATH}/documents`, "Add documents"],
    [
      "put",
      `${PATH}/documents/{externalId}`,
      "Add a document under a name of your own, or a new version of it",
    ],
  ] as const) {
    router.openAPIRegistry.registerPath({
      method,
      path,
      summary,
      request: uploadBody,
      responses: { ...accepted, ...failures },
    });
  }
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
    )
    .openapi(
      createRoute({
        method: "post",
        path: `${PATH}/sources`,
        summary: "Add every readable file under a folder of this computer, once",
        request: { params: IdParam, ...body(SourceCreateSchema) },
        responses: { 202: reply(SourceAcceptedSchema, "What was taken, and what was not."), ...failures },
      }),
      async (context) => {
        const { id } = await requireCollection(store, context.req.valid("param").id);
        const { path, include, exclude, watch } = context.req.valid("json");
        if (watch === true)
          throw unsupported(
            "Watching a folder",
            "Leave `watch` out, and send the folder again after a change.",
          );
        if (!isAbsolute(path)) {
          throw fault({
            status: 400,
            code: "invalid-request",
            detail: `"${shorten(path)}" is no absolute path.`,
            hint: "Write the whole path of the folder, from the root or the drive on.",
            retryable: false,
          });
        }
        const result = await ingestor.addFolder(path, {
          collectionId: id,
          include,
          exclude,
          signal: context.req.raw.signal,
        });
        const documents = result.submitted.map(({ path: name, ...one }) => presentAccepted(name, one));
        const refused = result.skipped.map(({ path: name, reason }) => ({
          name,
          problem: toProblem(
            fault({ status: 422, code: "not-read", detail: `"${name}" was left out: ${reason}.` }),
          ),
        }));
        return context.json({ path, documents, refused }, 202);
      },
    )
    .openapi(
      createRoute({
        method: "get",
        path: DOCUMENT,
        summary: "One document",
        request: { params: IdParam },
        responses: { 200: reply(DocumentSchema, "As it is now."), ...failures },
      }),
      async (context) =>
        context.json(presentDocument(await requireDocument(service, context.req.valid("param").id)), 200),
    )
    .openapi(
      createRoute({
        method: "get",
        path: `${DOCUMENT}/content`,
        summary: "The extracted text, into which all offsets point",
        request: { params: IdParam },
        responses: { 200: reply(DocumentContentSchema, "Text and pages."), ...failures },
      }),
      async (context) => {
        const { id, version, text } = await requireText(service, context.req.valid("param").id);
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
        path: `${DOCUMENT}/chunks`,
        summary: "The pieces that are searched",
        request: { params: IdParam, query: PageQuery },
        responses: { 200: reply(ChunkListSchema, "One page of them, in order."), ...failures },
      }),
      async (context) => {
        const { id, version } = await requireText(service, context.req.valid("param").id);
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
        path: DOCUMENT,
        summary: "Delete a document with all that belongs to it",
        request: { params: IdParam },
        responses: { 200: reply(DeletedSchema, "It is gone."), ...failures },
      }),
      async (context) => {
        const { id } = await requireDocument(service, context.req.valid("param").id);
        const { documents } = await ingestor.deleteDocuments({ documentIds: [id] });
        return context.json({ deleted: documents, ids: [id] }, 200);
      },
    );
}

export function unsupported(what: string, hint: string): Error {
  return fault({
    status: 422,
    code: "unsupported",
    detail: `${what} is not supported yet.`,
    hint,
    retryable: false,
  });
}

async function requireDocument({ store }: Service, id: string) {
  const row = await store.getDocument(id);
  if (row === undefined)
    throw notFound("document", id, "It was deleted, or it never was; list the documents of its collection.");
  return row;
}

/** The document with its text, or why there is none yet. */
async function requireText(service: Service, id: string) {
  const { version, job } = await requireDocument(service, id);
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
