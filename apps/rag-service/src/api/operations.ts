import { createRoute, z } from "@hono/zod-openapi";

import { notesOfUnsaved, notesOfWaiting } from "../notices.ts";
import type { Service } from "../service.ts";
import { requireCollection } from "./collections.ts";
import { body, createRouter, failures, reply } from "./routing.ts";
import {
  DocumentsAcceptedSchema,
  ExampleListSchema,
  ExamplesAddSchema,
  LiveSchema,
  ReadySchema,
} from "./schemas.ts";

export const VERSION = "0.0.0";

export function operationRoutes(service: Service) {
  const { store, models, examples, ingestor, runs } = service;
  return createRouter()
    .openapi(
      createRoute({
        method: "get",
        path: "/healthz",
        summary: "The process answers",
        responses: { 200: reply(LiveSchema, "It does.") },
      }),
      (context) => context.json({ status: "ok" as const, version: VERSION }, 200),
    )
    .openapi(
      createRoute({
        method: "get",
        path: "/readyz",
        summary: "Questions can be answered, at least by quotes",
        responses: { 200: reply(ReadySchema, "They can."), 503: reply(ReadySchema, "Not yet.") },
      }),
      async (context) => {
        const there = await store.status().then(
          () => true,
          () => false,
        );
        const [chat, embedder] = await Promise.all([models.chat(), models.embedderChoice()]);
        const notes = [
          ...(there ? [] : ["The store does not answer."]),
          ...(chat.length > 0 ? [] : ["No model can chat: answers are quotes."]),
          ...(embedder === undefined ? ["No model embeds: the search goes by words alone."] : []),
          ...notesOfWaiting(ingestor.waiting()),
          ...notesOfUnsaved(runs.unsaved()),
        ];
        const parts = { store: there, chat: chat.length > 0, embedder: embedder !== undefined, notes };
        return there
          ? context.json({ status: "ready" as const, ...parts }, 200)
          : context.json({ status: "starting" as const, ...parts }, 503);
      },
    )
    .openapi(
      createRoute({
        method: "get",
        path: "/api/v1/examples",
        summary: "Documents to try it with",
        request: { query: z.object({ collectionId: z.string().min(1).max(200).optional() }) },
        responses: { 200: reply(ExampleListSchema, "With questions that they answer."), ...failures },
      }),
      async (context) =>
        context.json({ examples: await examples.list(context.req.valid("query").collectionId) }, 200),
    )
    .openapi(
      createRoute({
        method: "post",
        path: "/api/v1/examples",
        summary: "Add documents to try it with",
        request: body(ExamplesAddSchema),
        responses: { 202: reply(DocumentsAcceptedSchema, "Jobs read them."), ...failures },
      }),
      async (context) => {
        const { ids, collectionId = "default" } = context.req.valid("json");
        await requireCollection(store, collectionId);
        const documents = await examples.add(ids, collectionId);
        const [first] = documents;
        const none = { documentId: "none", status: "unchanged" as const, name: "none" };
        return context.json({ ...(first ?? none), documents, refused: [] }, 202);
      },
    );
}
