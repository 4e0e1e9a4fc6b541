import { createRoute } from "@hono/zod-openapi";

import type { Service } from "../service.ts";
import { presentCollection } from "./present.ts";
import { fault, notFound } from "./problem.ts";
import { body, createRouter, failures, IdParam, reply } from "./routing.ts";
import {
  CollectionCreateSchema,
  CollectionListSchema,
  CollectionPatchSchema,
  CollectionSchema,
  DeletedSchema,
  JobAcceptedSchema,
} from "./schemas.ts";

const PATH = "/api/v1/collections";

export function collectionRoutes({ store, ingestor }: Service) {
  const generation = async () => (await store.listGenerations()).find((one) => one.active);
  return createRouter()
    .openapi(
      createRoute({
        method: "get",
        path: PATH,
        summary: "All collections",
        responses: { 200: reply(CollectionListSchema, "All of them."), ...failures },
      }),
      async (context) => {
        const [rows, active] = await Promise.all([store.listCollections(), generation()]);
        return context.json({ collections: rows.map((row) => presentCollection(row, active)) }, 200);
      },
    )
    .openapi(
      createRoute({
        method: "post",
        path: PATH,
        summary: "A new collection",
        request: body(CollectionCreateSchema),
        responses: { 201: reply(CollectionSchema, "Made."), ...failures },
      }),
      async (context) => {
        const wanted = context.req.valid("json");
        if (wanted.id !== undefined && (await store.getCollection(wanted.id)) !== undefined) {
          throw fault({
            status: 409,
            code: "collection-exists",
            detail: `There is a collection "${wanted.id}" already.`,
            hint: "Choose another id, or use the one that is there.",
            retryable: false,
          });
        }
        return context.json(presentCollection(await store.createCollection(wanted), await generation()), 201);
      },
    )
    .openapi(
      createRoute({
        method: "get",
        path: `${PATH}/{id}`,
        summary: "One collection",
        request: { params: IdParam },
        responses: { 200: reply(CollectionSchema, "It."), ...failures },
      }),
      async (context) => {
        const row = await requireCollection(store, context.req.valid("param").id);
        return context.json(presentCollection(row, await generation()), 200);
      },
    )
    .openapi(
      createRoute({
        method: "patch",
        path: `${PATH}/{id}`,
        summary: "Rename a collection",
        request: { params: IdParam, ...body(CollectionPatchSchema) },
        responses: { 200: reply(CollectionSchema, "Renamed."), ...failures },
      }),
      async (context) => {
        const { id } = await requireCollection(store, context.req.valid("param").id);
        const row = await store.renameCollection(id, context.req.valid("json").name);
        return context.json(presentCollection(row, await generation()), 200);
      },
    )
    .openapi(
      createRoute({
        method: "delete",
        path: `${PATH}/{id}`,
        summary: "Delete a collection with its documents",
        description: "`default` is emptied and stays.",
        request: { params: IdParam },
        responses: { 200: reply(DeletedSchema, "How many documents went."), ...failures },
      }),
      async (context) => {
        const { id } = await requireCollection(store, context.req.valid("param").id);
        const before = await ingestor.deleteDocuments({ collectionId: id });
        const rest = await store.deleteCollection(id);
        return context.json({ deleted: before.documents + rest.documents, ids: [id] }, 200);
      },
    )
    .openapi(
      createRoute({
        method: "post",
        path: `${PATH}/{id}/reindex`,
        summary: "Compute missing vectors with the present embedder",
        description: "Collections share one index: the vectors of all are brought up to date.",
        request: { params: IdParam },
        responses: { 202: reply(JobAcceptedSchema, "As a job."), ...failures },
      }),
      async (context) => {
        await requireCollection(store, context.req.valid("param").id);
        const { jobId } = await ingestor.reindex();
        return context.json({ jobId, status: "queued" as const }, 202);
      },
    );
}

/** The collection, or a 404 that names those there are. */
export async function requireCollection(store: Service["store"], id: string) {
  const row = await store.getCollection(id);
  if (row !== undefined) return row;
  const names = (await store.listCollections()).map((one) => one.id);
  const shown = names.slice(0, 20).join(", ");
  throw notFound(
    "collection",
    id,
    `There ${names.length === 1 ? "is" : "are"}: ${shown}${names.length > 20 ? ", …" : ""}.`,
  );
}
